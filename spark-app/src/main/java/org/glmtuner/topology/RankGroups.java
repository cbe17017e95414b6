package org.glmtuner.topology;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.config.RanksConfig.Clusters;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;

/**
 * Where ranks can be on a host: disjoint groups of equally many cores, each inside one CPU cluster
 * unless {@code ranks.across-clusters} says otherwise. A pure function of the host's topology and
 * {@code ranks}: every process that computes it comes to the same groups.
 *
 * @param cores of each group
 * @param groups in the order in which they are to be taken: one of each cluster, then the second
 *     ones, so that few ranks have much memory bandwidth each
 */
public record RankGroups(int cores, List<CpuGroup> groups) {
  public RankGroups {
    groups = List.copyOf(groups);
  }

  /**
   * The groups for so many ranks on this host, of which the first ones are theirs. Their size is
   * {@code ranks.cores}, or the largest for which there are enough groups: a whole cluster where
   * there is one for each rank.
   *
   * @param ranks 0 for one in each cluster ({@code ranks.per-cluster}), or with {@code ranks.cores}
   *     as many as there is room for: there are as many groups then
   * @throws TunerException (exit code 3) with the numbers, where there is no room for them
   */
  public static RankGroups of(Topology host, RanksConfig config, int ranks) {
    List<CpuCluster> clusters = usable(host, config);
    if (config.cores() > 0) {
      return withRoom(host, config, config.cores(), Math.max(1, ranks));
    }
    int cores = config.pinning().acrossClusters() ? sum(clusters) : most(clusters);
    if (ranks > 0) {
      while (cores > 1 && ofCores(host, config, cores).groups.size() < ranks) {
        cores--;
      }
      return withRoom(host, config, Math.max(1, cores), ranks);
    }
    int each = Math.max(1, config.pinning().perCluster());
    int count = clusters.stream().mapToInt(c -> Math.min(each, c.cores().size())).sum();
    while (cores > 1 && split(clusters, cores, each, config).groups.size() < count) {
      cores--;
    }
    return count == 0 ? withRoom(host, config, 1, 1) : split(clusters, cores, each, config);
  }

  /**
   * All groups of so many cores, of which there must be enough for {@code ranks}.
   *
   * @throws TunerException as {@link #of}
   */
  public static RankGroups withRoom(Topology host, RanksConfig config, int cores, int ranks) {
    RankGroups groups = ofCores(host, config, cores);
    if (groups.groups.size() < ranks) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot place "
              + count(ranks, "rank")
              + " of "
              + count(cores, "core")
              + ": there is room for "
              + groups.groups.size()
              + " in "
              + describe(host, config)
              + " (ranks.count, ranks.cores, ranks.per-cluster, ranks.reserve-cores, ranks.across-clusters)");
    }
    return groups;
  }

  /** All groups of so many cores; none where no cluster is large enough. */
  public static RankGroups ofCores(Topology host, RanksConfig config, int cores) {
    List<CpuCluster> clusters = usable(host, config);
    RanksConfig.Pinning pinning = config.pinning();
    if (pinning.acrossClusters() && most(clusters) < cores && !clusters.isEmpty()) {
      clusters = List.of(joined(clusters));
    }
    int limit = pinning.perCluster() > 0 ? pinning.perCluster() : Integer.MAX_VALUE;
    return split(clusters, cores, limit, config);
  }

  /** Pieces of clusters, {@code limit} of each at most. */
  private static RankGroups split(
      List<CpuCluster> clusters, int cores, int limit, RanksConfig config) {
    List<CpuGroup> groups = new ArrayList<>();
    int before = -1;
    for (int turn = 0; turn < limit && groups.size() > before; turn++) {
      before = groups.size();
      for (CpuCluster cluster : clusters) {
        int from = turn * cores;
        if (from + cores <= cluster.cores().size()) {
          List<Core> piece = cluster.cores().subList(from, from + cores);
          groups.add(group(cluster, piece, config.pinning().smt()));
        }
      }
    }
    return new RankGroups(cores, groups);
  }

  /** What a cluster is for the configuration, with the cores that ranks may have of it. */
  private static List<CpuCluster> usable(Topology host, RanksConfig config) {
    Stream<CpuCluster> clusters = host.clusters().stream();
    if (config.pinning().clusters() == Clusters.CACHE) {
      clusters = clusters.flatMap(cluster -> byCache(cluster).stream());
    }
    return clusters
        .map(
            cluster -> {
              int kept = Math.max(0, cluster.cores().size() - config.pinning().reservedCores());
              return new CpuCluster(
                  cluster.socket(), cluster.cores().subList(0, kept), cluster.nodes());
            })
        .filter(cluster -> !cluster.cores().isEmpty())
        .toList();
  }

  private static List<CpuCluster> byCache(CpuCluster cluster) {
    Map<Integer, List<Core>> parts = new TreeMap<>();
    for (Core core : cluster.cores()) {
      parts.computeIfAbsent(core.cache(), cache -> new ArrayList<>()).add(core);
    }
    return parts.values().stream()
        .sorted(Comparator.comparing(cores -> cores.get(0).cpus().get(0)))
        .map(cores -> new CpuCluster(cluster.socket(), cores, cluster.nodes()))
        .toList();
  }

  private static CpuCluster joined(List<CpuCluster> clusters) {
    return new CpuCluster(
        clusters.get(0).socket(),
        clusters.stream().flatMap(cluster -> cluster.cores().stream()).toList(),
        clusters.stream().flatMap(c -> c.nodes().stream()).distinct().sorted().toList());
  }

  private static CpuGroup group(CpuCluster cluster, List<Core> cores, boolean smt) {
    List<Integer> all = cores.stream().flatMap(c -> c.cpus().stream()).sorted().toList();
    return new CpuGroup(
        cluster.socket(),
        smt ? all : cores.stream().map(core -> core.cpus().get(0)).sorted().toList(),
        all,
        cluster.nodes());
  }

  private static int most(List<CpuCluster> clusters) {
    return clusters.stream().mapToInt(cluster -> cluster.cores().size()).max().orElse(0);
  }

  private static int sum(List<CpuCluster> clusters) {
    return clusters.stream().mapToInt(cluster -> cluster.cores().size()).sum();
  }

  /** The clusters with their sizes and what ranks may not have of them, for messages. */
  public static String describe(Topology host, RanksConfig config) {
    RanksConfig.Pinning pinning = config.pinning();
    List<CpuCluster> clusters =
        host.clusters().stream()
            .flatMap(
                cluster ->
                    pinning.clusters() == Clusters.CACHE
                        ? byCache(cluster).stream()
                        : Stream.of(cluster))
            .toList();
    Map<Integer, Long> sizes =
        clusters.stream()
            .collect(
                Collectors.groupingBy(c -> c.cores().size(), TreeMap::new, Collectors.counting()));
    String parts =
        sizes.entrySet().stream()
            .map(size -> size.getValue() + " of " + count(size.getKey(), "core"))
            .collect(Collectors.joining(", "));
    return count(clusters.size(), "CPU cluster")
        + " ("
        + parts
        + (pinning.reservedCores() > 0 ? "; kept free in each: " + pinning.reservedCores() : "")
        + (pinning.perCluster() > 0 ? "; ranks in each at most: " + pinning.perCluster() : "")
        + ")";
  }

  private static String count(int number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }
}
