package org.glmtuner.config;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * {@code ranks}: the processes that train.
 *
 * @param count ranks, 0 for one per CPU cluster
 * @param cores cores per rank, 0 for those of its CPU cluster
 * @param patience how long to wait ({@code ranks.wait}) for executors and free cores
 * @param heartbeatTimeout after which a rank without progress counts as hung
 * @param pinning which CPUs they get
 */
public record RanksConfig(
    int count, int cores, Duration patience, Jvm jvm, Duration heartbeatTimeout, Pinning pinning)
    implements Serializable {

  /** What counts as a CPU cluster: the cores of a NUMA node, or those that share a cache. */
  public enum Clusters {
    NUMA,
    CACHE
  }

  /**
   * Which CPUs ranks get.
   *
   * @param perCluster most ranks in a CPU cluster, 0 for no limit
   * @param smt whether a rank gets all hardware threads of its cores, or the first of each
   * @param reservedCores of each cluster that no rank gets
   * @param acrossClusters whether a rank may have cores of several clusters where none is large
   *     enough
   * @param required whether a rank that cannot be bound ends the run
   * @param claims absolute path of the file in which all ranks of a host lock their CPUs
   */
  public record Pinning(
      int perCluster,
      Clusters clusters,
      boolean smt,
      int reservedCores,
      boolean acrossClusters,
      boolean required,
      String claims)
      implements Serializable {}

  private static final int MOST_CORES = 1 << 12;

  /** A rank gives a sign of life every second; one may be late. */
  private static final Duration LEAST_HEARTBEAT_TIMEOUT = Duration.ofSeconds(3);

  /** The rank's Java machine: heap in bytes, home (empty: the executor's own), more options. */
  public record Jvm(long heap, String home, List<String> options) implements Serializable {}

  /** The same with another number of cores. */
  public RanksConfig withCores(int other) {
    return new RanksConfig(count, other, patience, jvm, heartbeatTimeout, pinning);
  }

  /** The same with another number of ranks. */
  public RanksConfig withCount(int other) {
    return new RanksConfig(other, cores, patience, jvm, heartbeatTimeout, pinning);
  }

  /** The same, waiting at most so long. */
  public RanksConfig withPatienceOf(Duration most) {
    Duration shorter = patience.compareTo(most) < 0 ? patience : most;
    return new RanksConfig(count, cores, shorter, jvm, heartbeatTimeout, pinning);
  }

  static RanksConfig read(Section section) {
    return new RanksConfig(
        section.integer("count", 0, 1 << 16),
        section.integer("cores", 0, MOST_CORES),
        section.duration("wait", Duration.ofSeconds(1)),
        new Jvm(
            section.bytes("memory", 64L << 20),
            section.text("java-home"),
            section.texts("java-options")),
        section.duration("heartbeat-timeout", LEAST_HEARTBEAT_TIMEOUT),
        new Pinning(
            section.integer("per-cluster", 0, MOST_CORES),
            section.choice("clusters", Clusters.values()),
            section.flag("smt"),
            section.integer("reserve-cores", 0, MOST_CORES),
            section.flag("across-clusters"),
            section.flag("require-binding"),
            section.text("claims", path -> path.startsWith("/"), "an absolute path")));
  }
}
