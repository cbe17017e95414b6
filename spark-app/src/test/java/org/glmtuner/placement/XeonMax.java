package org.glmtuner.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/**
 * Two Xeon Max 9462 with SNC4, as the files {@code xeonmax9462-snc4-*.xml} describe them: eight
 * clusters of eight cores with two threads, 64 GiB of DDR and 16 GiB of HBM for each.
 */
final class XeonMax {
  static final int CLUSTERS = 8;
  private static final int CORES = 8;
  private static final int CORES_OF_HOST = CLUSTERS * CORES;
  private static final long GIBI = 1L << 30;
  private static final long DDR_BANDWIDTH = 76_800_000_000L;
  private static final long HBM_BANDWIDTH = 409_600_000_000L;

  private XeonMax() {}

  /** DDR is nodes 0 to 7, HBM is nodes 8 to 15. */
  static Topology flat() {
    List<MemoryNode> memory = new ArrayList<>(nodes(0, 64 * GIBI, Kind.DRAM, DDR_BANDWIDTH, 0));
    memory.addAll(nodes(CLUSTERS, 16 * GIBI, Kind.HBM, HBM_BANDWIDTH, 0));
    return host(memory, true);
  }

  static Topology hbmOnly() {
    return host(nodes(0, 16 * GIBI, Kind.HBM, HBM_BANDWIDTH, 0), false);
  }

  /** The HBM is a cache in front of the DDR. */
  static Topology cache() {
    return host(nodes(0, 64 * GIBI, Kind.DRAM, DDR_BANDWIDTH, 16 * GIBI), false);
  }

  private static List<MemoryNode> nodes(
      int first, long bytes, Kind kind, long bandwidth, long cache) {
    return IntStream.range(first, first + CLUSTERS)
        .mapToObj(node -> new MemoryNode(node, bytes, kind, bandwidth, cache))
        .toList();
  }

  private static Topology host(List<MemoryNode> memory, boolean flat) {
    List<CpuCluster> clusters = new ArrayList<>();
    for (int cluster = 0; cluster < CLUSTERS; cluster++) {
      int first = cluster * CORES;
      int socket = cluster / 4;
      List<Core> cores =
          IntStream.range(first, first + CORES)
              .mapToObj(core -> new Core(List.of(core, core + CORES_OF_HOST), socket))
              .toList();
      clusters.add(
          new CpuCluster(
              socket, cores, flat ? List.of(cluster, cluster + CLUSTERS) : List.of(cluster)));
    }
    return new Topology(clusters, memory);
  }

  /** So many ranks on each cluster. */
  static List<CpuGroup> ranks(Topology topology, int each) {
    List<CpuGroup> ranks = new ArrayList<>();
    for (CpuCluster cluster : topology.clusters()) {
      int cores = cluster.cores().size() / each;
      for (int rank = 0; rank < each; rank++) {
        List<Core> own = cluster.cores().subList(rank * cores, (rank + 1) * cores);
        ranks.add(
            new CpuGroup(
                cluster.socket(),
                own.stream().map(core -> core.cpus().get(0)).toList(),
                own.stream().flatMap(core -> core.cpus().stream()).sorted().toList(),
                cluster.nodes()));
      }
    }
    return ranks;
  }
}
