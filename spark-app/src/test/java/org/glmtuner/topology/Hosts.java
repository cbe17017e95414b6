package org.glmtuner.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/** Hosts for tests. */
public final class Hosts {
  private static final long GIB = 1L << 30;

  private Hosts() {}

  /** Two sockets of four clusters of eight cores, two threads each, numbered as Linux does. */
  public static Topology xeonMax() {
    List<CpuCluster> clusters = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int first = 8 * i;
      clusters.add(
          new CpuCluster(
              i / 4,
              IntStream.range(first, first + 8)
                  .mapToObj(cpu -> new Core(List.of(cpu, cpu + 64), first / 8))
                  .toList(),
              List.of(i, i + 8)));
    }
    return new Topology(
        clusters,
        IntStream.range(0, 16)
            .mapToObj(
                i ->
                    i < 8
                        ? new MemoryNode(i, 64 * GIB, Kind.DRAM, 76_800_000_000L, 0)
                        : new MemoryNode(i, 16 * GIB, Kind.HBM, 409_600_000_000L, 0))
            .toList());
  }

  /** One node whose cores have one thread each. */
  public static Topology oneNode(int... cpus) {
    return clusters(cpus);
  }

  /** A node, all on socket 0, for each list of CPUs. */
  public static Topology clusters(int[]... lists) {
    List<CpuCluster> clusters = new ArrayList<>();
    List<MemoryNode> memory = new ArrayList<>();
    for (int[] cpus : lists) {
      int node = clusters.size();
      clusters.add(
          new CpuCluster(
              0,
              IntStream.of(cpus).mapToObj(cpu -> new Core(List.of(cpu), cpu / 4)).toList(),
              List.of(node)));
      memory.add(new MemoryNode(node, 16 * GIB, Kind.DRAM, 0, 0));
    }
    return new Topology(clusters, memory);
  }

  /** Cores of one thread each, on the NUMA node with the socket's number. */
  public static CpuGroup group(int socket, Integer... cpus) {
    return new CpuGroup(socket, List.of(cpus), List.of(cpus), List.of(socket));
  }

  /** {@code ranks}, as a configuration file may state it. */
  public static RanksConfig ranks(String keys) {
    return ConfigLoader.load("ranks { " + keys + " }", "test", java.util.Map.of()).ranks();
  }
}
