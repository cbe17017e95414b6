package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.glmtuner.planning.Weights.Copy;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/** Hosts to plan for. */
final class Machines {
  static final long DDR = 64L << 30;
  static final long HBM = 16L << 30;
  private static final long DDR_BANDWIDTH = 76_800_000_000L;
  private static final long HBM_BANDWIDTH = 409_600_000_000L;
  private static final int CLUSTERS = 8;
  private static final int CORES = 8;

  private Machines() {}

  /** 2 x Xeon Max 9462 in SNC4: DDR nodes 0 to 7, HBM nodes 8 to 15. */
  static Topology flat() {
    List<MemoryNode> memory = new ArrayList<>();
    for (int node = 0; node < 2 * CLUSTERS; node++) {
      boolean hbm = node >= CLUSTERS;
      memory.add(
          new MemoryNode(
              node,
              hbm ? HBM : DDR,
              hbm ? Kind.HBM : Kind.DRAM,
              hbm ? HBM_BANDWIDTH : DDR_BANDWIDTH,
              0));
    }
    return new Topology(clusters(cluster -> List.of(cluster, cluster + CLUSTERS)), memory);
  }

  static Topology hbmOnly() {
    return new Topology(
        clusters(List::of),
        IntStream.range(0, CLUSTERS)
            .mapToObj(node -> new MemoryNode(node, HBM, Kind.HBM, HBM_BANDWIDTH, 0))
            .toList());
  }

  static Topology cache() {
    return new Topology(
        clusters(List::of),
        IntStream.range(0, CLUSTERS)
            .mapToObj(node -> new MemoryNode(node, DDR, Kind.DRAM, DDR_BANDWIDTH, HBM))
            .toList());
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

  private static List<CpuCluster> clusters(Function<Integer, List<Integer>> nodes) {
    return IntStream.range(0, CLUSTERS)
        .mapToObj(
            cluster ->
                new CpuCluster(
                    cluster / 4,
                    IntStream.range(cluster * CORES, (cluster + 1) * CORES)
                        .mapToObj(
                            cpu -> new Core(List.of(cpu, cpu + CLUSTERS * CORES), cluster / 4))
                        .toList(),
                    nodes.apply(cluster)))
        .toList();
  }

  /** A seat for each {@code cores} cores of a cluster. */
  static List<Seat> seats(Topology topology, int cores) {
    List<Seat> seats = new ArrayList<>();
    for (int i = 0; i < topology.clusters().size(); i++) {
      CpuCluster cluster = topology.clusters().get(i);
      List<Integer> cpus = cluster.cores().stream().map(core -> core.cpus().get(0)).toList();
      for (int from = 0; from + cores <= cpus.size(); from += cores) {
        seats.add(new Seat(cluster.socket(), i, cpus.subList(from, from + cores), cluster.nodes()));
      }
    }
    return seats;
  }

  /** A copy on the last node of each cluster, in anonymous memory. */
  static Weights perCluster(Topology topology, String kind, long bytes) {
    return new Weights(
        "per-cluster",
        kind,
        IntStream.range(0, topology.clusters().size())
            .mapToObj(
                cluster -> {
                  List<Integer> nodes = topology.clusters().get(cluster).nodes();
                  return new Copy(
                      bytes, List.of(nodes.get(nodes.size() - 1)), false, List.of(cluster));
                })
            .toList(),
        "for a test");
  }

  /** One copy in the page cache for all. */
  static Weights shared(Topology topology, long bytes) {
    return new Weights(
        "shared",
        "dram",
        List.of(
            new Copy(
                bytes,
                List.of(),
                true,
                IntStream.range(0, topology.clusters().size()).boxed().toList())),
        "for a test");
  }
}
