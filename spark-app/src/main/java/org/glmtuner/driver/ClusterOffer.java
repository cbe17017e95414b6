package org.glmtuner.driver;

import java.util.Locale;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.failure.TunerException;

/**
 * What a cluster offers to ranks at a moment.
 *
 * @param hosts of the executors that have said what they may use
 * @param awaited executors that have registered and not said it yet, or are still to come
 * @param settled whether no executor has come for a while
 * @param executorCores of an executor, if Spark's configuration tells
 * @param slots how many tasks of so many cores run at once
 * @param sizedByTask whether {@code spark.task.cpus} says how large ranks are
 */
record ClusterOffer(
    ExecutorHosts hosts,
    int awaited,
    boolean settled,
    int executorCores,
    IntUnaryOperator slots,
    boolean sizedByTask) {

  /** Ranks, and the cores of each. */
  record Size(int count, int cores) {}

  /**
   * Decides, and says nothing where executors that may still come could change it.
   *
   * @throws TunerException (exit code 3) where it can never be
   */
  Optional<Size> size() {
    boolean all = settled && awaited == 0;
    int count = ranks().count();
    if (hosts.executors().isEmpty()) {
      return Optional.empty();
    }
    int cores = cores();
    if (count == 0) {
      int groups = all ? requireGroups(cores, 1) : 0;
      int most = Math.min(groups, slots.applyAsInt(cores));
      return most == 0 ? Optional.empty() : Optional.of(new Size(most, cores));
    }
    int least = all ? leastCores() : cores;
    for (int size = cores; size >= least; size--) {
      if (slots.applyAsInt(size) >= count && hosts.groups(size) >= count) {
        return Optional.of(new Size(count, size));
      }
    }
    if (all && (slots.applyAsInt(least) >= count || hosts.groups(least) == 0)) {
      requireGroups(least, count);
    }
    return Optional.empty();
  }

  private RanksConfig ranks() {
    return hosts.ranks();
  }

  /** As configured; otherwise a CPU cluster, or a whole executor where that is less. */
  private int cores() {
    if (ranks().cores() > 0) {
      return ranks().cores();
    }
    int cores = Math.min(hosts.coresOfCluster(), executorCores);
    while (cores > 1 && slots.applyAsInt(cores) == 0) {
      cores--; // local-cluster and standalone do not say how many cores an executor has
    }
    return cores;
  }

  /** Where nobody says how large ranks are, several share a CPU cluster or an executor. */
  private int leastCores() {
    return ranks().cores() > 0 ? ranks().cores() : 1;
  }

  private int requireGroups(int cores, int needed) {
    int groups = hosts.groups(cores);
    if (groups >= needed) {
      return groups;
    }
    for (int smaller = cores - 1; sizedByTask && smaller > 0; smaller--) {
      if (hosts.groups(smaller) >= needed) {
        throw RankLayout.taskTooLarge(cores, needed, smaller, hosts.describe());
      }
    }
    throw RankLayout.unsuitable(
        String.format(
            Locale.ROOT,
            "%d ranks of %d cores are to run, and there is room for %d on the hosts of the %d executors, whatever slots Spark was told of: %s (ranks.count, ranks.cores, ranks.per-cluster, ranks.across-clusters, %s)",
            needed,
            cores,
            groups,
            hosts.executors().size(),
            hosts.describe(),
            RankLayout.TASK_CPUS));
  }

  /** For people: what is there, and what is not. */
  String describe() {
    boolean none = hosts.executors().isEmpty();
    int cores = none || (settled && ranks().count() > 0) ? leastCores() : cores();
    return String.format(
        Locale.ROOT,
        "%d executors with %d slots of %d cores%s",
        hosts.executors().size(),
        none ? 0 : slots.applyAsInt(cores),
        cores,
        awaited == 0
            ? ""
            : String.format(
                Locale.ROOT, ", and %d that have not come or not said what they may use", awaited));
  }
}
