package org.glmtuner.topology;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
   * there is one for each rank. Where nothing says how many ranks there are, and clusters differ in
   * size, it is the one with which ranks have the most cores: clusters that are smaller have none.
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
    if (ranks > 0 || clusters.isEmpty()) {
      int cores = most(clusters);
      while (cores > 1 && ofCores(host, config, cores).groups.size() < ranks) {
        cores--;
      }
      return withRoom(host, config, Math.max(1, cores), Math.max(1, ranks));
    }
    int each = Math.max(1, config.pinning().perCluster());
    return clusters.stream()
        .map(cluster -> Math.max(1, cluster.cores().size() / each))
        .distinct()
        .map(cores -> split(clusters, cores, each, config))
        .max(
            Comparator.comparingInt(RankGroups::coresTaken)
                .thenComparing(groups -> groups.groups.size()))
        .orElseThrow();
  }

  /**
   * As many groups of so many cores as each cluster has where nothing says how many ranks there
   * are: {@code ranks.per-cluster}, or one.
   */
  public static RankGroups inEachCluster(Topology host, RanksConfig config, int cores) {
    int each = Math.max(1, config.pinning().perCluster());
    return split(usable(host, config), cores, each, config);
  }

  /** By all groups together. */
  private int coresTaken() {
    return cores * groups.size();
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
    if (pinning.acrossClusters() && most(clusters) < cores) {
      return across(clusters, cores, config);
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
          groups.add(group(List.of(cluster), piece, config.pinning().smt()));
        }
      }
    }
    return new RankGroups(cores, groups);
  }

  /** Cores of one cluster after the other, each group local to the clusters that it has some of. */
  private static RankGroups across(List<CpuCluster> clusters, int cores, RanksConfig config) {
    List<CpuGroup> groups = new ArrayList<>();
    List<Core> piece = new ArrayList<>();
    List<CpuCluster> from = new ArrayList<>();
    for (CpuCluster cluster : clusters) {
      for (Core core : cluster.cores()) {
        piece.add(core);
        from.add(cluster);
        if (piece.size() == cores) {
          groups.add(group(from, piece, config.pinning().smt()));
          piece.clear();
          from.clear();
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

  private static CpuGroup group(List<CpuCluster> clusters, List<Core> cores, boolean smt) {
    List<Integer> all = cores.stream().flatMap(c -> c.cpus().stream()).sorted().toList();
    return new CpuGroup(
        clusters.get(0).socket(),
        smt ? all : cores.stream().map(core -> core.cpus().get(0)).sorted().toList(),
        all,
        clusters.stream().flatMap(c -> c.nodes().stream()).distinct().sorted().toList());
  }

  private static int most(List<CpuCluster> clusters) {
    return clusters.stream().mapToInt(cluster -> cluster.cores().size()).max().orElse(0);
  }

  /** For people: that clusters are too small for ranks of so many cores; nothing if none is. */
  public static Optional<String> tooSmall(Topology host, RanksConfig config, int cores) {
    List<CpuCluster> clusters = usable(host, config);
    boolean joined = config.pinning().acrossClusters() && most(clusters) < cores;
    return joined || clusters.stream().allMatch(c -> c.cores().size() >= cores)
        ? Optional.empty()
        : Optional.of(
            "ranks have "
                + count(cores, "core")
                + ", and CPU clusters with fewer have none: "
                + describe(host, config));
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
