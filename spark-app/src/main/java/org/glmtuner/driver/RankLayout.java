package org.glmtuner.driver;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.CpuTime;
import org.glmtuner.executor.DriverEndpoint;
import org.glmtuner.executor.ExecutorFacts;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;

/**
 * How many ranks, with how many cores each.
 *
 * @param threads that compute in each
 * @param profile what a task of the barrier stage asks for; null where tasks have their cores
 *     already, as in local mode
 */
record RankLayout(int count, int cores, int threads, ResourceProfile profile) {
  private static final String TASK_CPUS = "spark.task.cpus";
  private static final String EXECUTOR_CORES = "spark.executor.cores";
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
      JavaSparkContext context, TunerConfig config, Progress progress, Cancellation cancellation)
      throws IOException, InterruptedException {
    String master = context.master();
    if (master.equals("local") || master.startsWith("local[")) {
      Topology host = HostTopology.read(config.cache().path());
      int slots = slots(context, null);
      return local(
          config.ranks(), context.getConf(), slots, host, CpuTime.granted(), progress::say);
    }
    return cluster(context, config.ranks(), progress, cancellation);
  }

  /** On this machine, whose tasks are all in this process. */
  static RankLayout local(
      RanksConfig ranks,
      SparkConf spark,
      int slots,
      Topology host,
      double cpuTime,
      Consumer<String> note) {
    RanksConfig sized = sized(ranks, spark);
    int count =
        ranks.count() > 0
            ? ranks.count()
            : Math.min(slots, RankGroups.of(host, sized, 0).groups().size());
    if (count > slots || count == 0) {
      throw unsuitable(
          String.format(
              Locale.ROOT,
              "%d ranks run at once and %s has %d task slots of %s=%d (ranks.count, --master)",
              Math.max(1, count),
              spark.get("spark.master", "local"),
              slots,
              TASK_CPUS,
              spark.getInt(TASK_CPUS, 1)));
    }
    int cores = RankGroups.of(host, sized, count).cores();
    if (sized.cores() == 0) {
      cores = (int) Math.max(1, Math.min(cores, Math.floor(cpuTime / count)));
    }
    if (count * cores > cpuTime) {
      note.accept(
          String.format(
              Locale.ROOT,
              "%d ranks of %d cores will wait for one another: the control group grants CPU time of %.1f cores",
              count,
              cores,
              cpuTime));
    }
    int threads = sized.pinning().smt() ? ExecutorHosts.threadsOfCore(host) * cores : cores;
    return new RankLayout(count, cores, threads, null);
  }

  private static RankLayout cluster(
      JavaSparkContext context, RanksConfig ranks, Progress progress, Cancellation cancellation)
      throws InterruptedException {
    RanksConfig sized = sized(ranks, context.getConf());
    checkExecutorSize(sized, context.getConf());
    long start = System.nanoTime();
    long saidAt = start;
    long changedAt = start;
    int executors = 0;
    while (true) {
      cancellation.check();
      ExecutorHosts hosts = ExecutorHosts.of(registered(), sized);
      if (hosts.executors().size() != executors) {
        executors = hosts.executors().size();
        changedAt = System.nanoTime();
      }
      int cores = executors == 0 ? 1 : coresOf(context, sized, hosts);
      ResourceProfile profile = profile(context, cores);
      int slots = executors == 0 ? 0 : slots(context, profile);
      boolean settled = executors > 0 && System.nanoTime() - changedAt > SETTLE_NANOS;
      boolean enough = slots > 0 && (ranks.count() > 0 ? slots >= ranks.count() : settled);
      int groups = enough || settled ? hosts.groups(cores) : 0;
      if ((enough && groups < Math.max(1, ranks.count())) || (settled && groups == 0)) {
        throw unsuitable(
            String.format(
                Locale.ROOT,
                "%d ranks of %d cores are to run, and there is room for %d on the hosts of the %d executors, whatever slots Spark was told of: %s (ranks.count, ranks.cores, ranks.per-cluster, ranks.across-clusters, %s)",
                Math.max(1, ranks.count()),
                cores,
                groups,
                executors,
                hosts.describe(),
                TASK_CPUS));
      }
      if (enough) {
        int count = ranks.count() > 0 ? ranks.count() : Math.min(slots, groups);
        sayIfIdle(count, cores, hosts, progress);
        int threads = sized.pinning().smt() ? hosts.threadsOfCore() * cores : cores;
        return new RankLayout(count, cores, threads, profile);
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
                cores,
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

  private static List<ExecutorFacts> registered() {
    return DriverEndpoint.executors().values().stream()
        .filter(facts -> !facts.executor().equals("driver"))
        .toList();
  }

  /** A rank is a task: where only {@code spark.task.cpus} says how large, that is its size. */
  static RanksConfig sized(RanksConfig ranks, SparkConf spark) {
    int taskCpus = spark.getInt(TASK_CPUS, 1);
    return ranks.cores() == 0 && taskCpus > 1 ? ranks.withCores(taskCpus) : ranks;
  }

  /** Executors that are too small for a rank never offer a slot, however long one waits. */
  static void checkExecutorSize(RanksConfig ranks, SparkConf spark) {
    int offered = spark.getInt(EXECUTOR_CORES, Integer.MAX_VALUE);
    if (ranks.cores() > offered) {
      throw unsuitable(
          String.format(
              Locale.ROOT,
              "a rank has %d cores (ranks.cores, or %s without it) and an executor %d (%s): set %s=%d, or ranks.cores=%d",
              ranks.cores(),
              TASK_CPUS,
              offered,
              EXECUTOR_CORES,
              EXECUTOR_CORES,
              ranks.cores(),
              offered));
    }
  }

  /** As configured; otherwise a CPU cluster, or a whole executor where that is less. */
  private static int coresOf(JavaSparkContext context, RanksConfig ranks, ExecutorHosts hosts) {
    if (ranks.cores() > 0) {
      return ranks.cores();
    }
    int cluster = hosts.coresOfCluster();
    int cores = Math.min(cluster, context.getConf().getInt(EXECUTOR_CORES, cluster));
    while (cores > 1 && slots(context, profile(context, cores)) == 0) {
      cores--; // local-cluster and standalone do not say how many cores an executor has
    }
    return cores;
  }

  /** Where nobody said how large ranks are, cores that they leave idle are worth a line. */
  private static void sayIfIdle(int count, int cores, ExecutorHosts hosts, Progress progress) {
    int cluster = hosts.coresOfCluster();
    if (hosts.ranks().cores() == 0 && cores < cluster && count <= hosts.groups(cluster)) {
      progress.say(
          String.format(
              Locale.ROOT,
              "each rank has %d of its CPU cluster's %d cores; %s=%d and ranks.cores=%d give it all",
              cores,
              cluster,
              EXECUTOR_CORES,
              cluster,
              cluster));
    }
  }

  private static ResourceProfile profile(JavaSparkContext context, int cores) {
    if (cores == context.getConf().getInt(TASK_CPUS, 1)) {
      return null;
    }
    ResourceProfile profile =
        new ResourceProfileBuilder().require(new TaskResourceRequests().cpus(cores)).build();
    context.sc().resourceProfileManager().addResourceProfile(profile);
    return profile;
  }

  /** What Spark itself checks a barrier stage against. */
  private static int slots(JavaSparkContext context, ResourceProfile profile) {
    return context
        .sc()
        .maxNumConcurrentTasks(
            profile == null
                ? context.sc().resourceProfileManager().defaultResourceProfile()
                : profile);
  }

  private static TunerException unsuitable(String reason) {
    return new TunerException(ExitCode.UNSUITABLE, "Cannot start ranks: " + reason);
  }
}
