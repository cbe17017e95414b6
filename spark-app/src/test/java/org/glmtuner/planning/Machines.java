package org.glmtuner.planning;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/** Hosts to plan for. */
final class Machines {
  private Machines() {}

  /**
   * 2 x Xeon Max 9462 in SNC4, from its file.
   *
   * @param mode of its HBM: flat, hbmonly or cache
   * @param cache a directory for {@code glm-topology}
   */
  static Topology xeonMax(String mode, Path cache) throws Exception {
    String name = "/topologies/xeonmax9462-snc4-" + mode + ".xml";
    return HostTopology.ofFile(cache, Path.of(Machines.class.getResource(name).toURI()));
  }

  /** One node with {@code cores} cores, of whose memory nothing but the size is known. */
  static Topology small(int cores, long bytes) {
    return new Topology(
        List.of(
            new CpuCluster(
                0,
                IntStream.range(0, cores).mapToObj(cpu -> new Core(List.of(cpu), 0)).toList(),
                List.of(0))),
        List.of(new MemoryNode(0, bytes, Kind.DRAM, 0, 0)));
  }
}
