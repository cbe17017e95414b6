package org.glmtuner.driver;

import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.executor.CpuTopology;
import org.glmtuner.executor.DriverEndpoint;
import org.glmtuner.executor.ExecutorFacts;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * How many ranks, with how many cores each.
 *
 * @param profile what a task of the barrier stage asks for; null where tasks have their cores
 *     already, as in local mode
 */
record RankLayout(int count, int cores, ResourceProfile profile) {
  private static final long POLL_MILLIS = 100;
  private static final long SAY_NANOS = 10_000_000_000L;

  /** Executors that come one by one are waited for until none has come for so long. */
  private static final long SETTLE_NANOS = 3_000_000_000L;

  /**
   * Decides, once enough executors are there.
   *
   * @throws TunerException with exit code 3 where it can never be, 8 where {@code ranks.wait}
   *     passed
   */
  static RankLayout decide(
      JavaSparkContext context, RanksConfig ranks, Progress progress, Cancellation cancellation)
      throws InterruptedException {
    String master = context.master();
    return master.equals("local") || master.startsWith("local[")
        ? local(context, ranks, CpuTopology.read())
        : cluster(context, ranks, progress, cancellation);
  }

  private static RankLayout local(
      JavaSparkContext context, RanksConfig ranks, CpuTopology topology) {
    int slots = context.defaultParallelism();
    int cpus = topology.clusters().stream().mapToInt(cluster -> cluster.cpus().length).sum();
    int count = ranks.count() > 0 ? ranks.count() : Math.min(slots, topology.clusters().size());
    if (count > slots) {
      throw unsuitable(
          count
              + " ranks run at once and "
              + context.master()
              + " has "
              + slots
              + " task slots (ranks.count, --master)");
    }
    int cores = ranks.cores() > 0 ? ranks.cores() : Math.max(1, cpus / count);
    if (count > topology.groups(cores).size()) {
      throw unsuitable(
          String.format(
              Locale.ROOT,
              "%d ranks of %d cores need %d CPUs, this process may use %d (ranks.count, ranks.cores)",
              count,
              cores,
              count * cores,
              cpus));
    }
    return new RankLayout(count, cores, null);
  }

  private static RankLayout cluster(
      JavaSparkContext context, RanksConfig ranks, Progress progress, Cancellation cancellation)
      throws InterruptedException {
    long start = System.nanoTime();
    long saidAt = start;
    long changedAt = start;
    int executors = 0;
    while (true) {
      cancellation.check();
      Collection<ExecutorFacts> facts =
          DriverEndpoint.executors().values().stream()
              .filter(f -> !f.executor().equals("driver"))
              .toList();
      if (facts.size() != executors) {
        executors = facts.size();
        changedAt = System.nanoTime();
      }
      int cores = executors == 0 ? 0 : coresOf(context, ranks, facts);
      ResourceProfile profile = profile(context, Math.max(1, cores));
      int slots = executors == 0 ? 0 : slots(context, profile);
      boolean settled = System.nanoTime() - changedAt > SETTLE_NANOS;
      if (slots > 0 && (ranks.count() > 0 ? slots >= ranks.count() : settled)) {
        int groups = groups(facts, cores);
        if (groups < Math.max(1, ranks.count())) {
          throw unsuitable(
              String.format(
                  Locale.ROOT,
                  "%d ranks of %d cores are to run, and the hosts of the %d executors have CPUs for %d, whatever slots Spark was told of (ranks.count, ranks.cores)",
                  Math.max(1, ranks.count()),
                  cores,
                  executors,
                  groups));
        }
        return new RankLayout(
            ranks.count() > 0 ? ranks.count() : Math.min(slots, groups), cores, profile);
      }
      if (System.nanoTime() - start > ranks.patience().toNanos()) {
        throw new TunerException(
            ExitCode.NO_FREE_SLOTS,
            String.format(
                Locale.ROOT,
                "Cannot start ranks: after %d s there are %d executors with %d slots of %d cores, %s needed (ranks.wait)",
                ranks.patience().toSeconds(),
                executors,
                slots,
                Math.max(1, cores),
                ranks.count() > 0 ? ranks.count() + " are" : "one is"));
      }
      if (System.nanoTime() - saidAt > SAY_NANOS) {
        saidAt = System.nanoTime();
        progress.say(
            "waiting for executors: "
                + executors
                + " are there, with slots for "
                + slots
                + " ranks");
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  /**
   * Groups of {@code cores} CPUs on all hosts: executors of one host may be allowed the same CPUs.
   */
  static int groups(Collection<ExecutorFacts> facts, int cores) {
    return facts.stream()
        .collect(
            Collectors.toMap(
                f -> f.node() + " " + CpuTopology.formatList(f.topology().cpus()),
                f -> f.topology().groups(cores).size(),
                (one, same) -> one))
        .values()
        .stream()
        .mapToInt(Integer::intValue)
        .sum();
  }

  /** As configured; otherwise a CPU cluster, or a whole executor where that is less. */
  private static int coresOf(
      JavaSparkContext context, RanksConfig ranks, Collection<ExecutorFacts> facts) {
    if (ranks.cores() > 0) {
      return ranks.cores();
    }
    int cluster =
        facts.stream()
            .flatMap(f -> f.topology().clusters().stream())
            .mapToInt(c -> c.cpus().length)
            .min()
            .orElse(1);
    int cores = Math.min(cluster, context.getConf().getInt("spark.executor.cores", cluster));
    while (cores > 1 && slots(context, profile(context, cores)) == 0) {
      cores--; // local-cluster and standalone do not say how many cores an executor has
    }
    return cores;
  }

  private static ResourceProfile profile(JavaSparkContext context, int cores) {
    if (cores == context.getConf().getInt("spark.task.cpus", 1)) {
      return null;
    }
    ResourceProfile profile =
        new ResourceProfileBuilder().require(new TaskResourceRequests().cpus(cores)).build();
    context.sc().resourceProfileManager().addResourceProfile(profile);
    return profile;
  }

  /** What Spark itself checks a barrier stage against. */
  private static int slots(JavaSparkContext context, ResourceProfile profile) {
    SparkContext spark = context.sc();
    return spark.maxNumConcurrentTasks(
        profile == null ? spark.resourceProfileManager().defaultResourceProfile() : profile);
  }

  private static TunerException unsuitable(String reason) {
    return new TunerException(ExitCode.UNSUITABLE, "Cannot start ranks: " + reason);
  }
}
