package org.glmtuner.driver;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
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
import scala.collection.JavaConverters;

/**
 * How many ranks, with how many cores each.
 *
 * @param threads that compute in each
 * @param profile what a task of the barrier stage asks for; null where tasks have their cores
 *     already, as in local mode
 */
record RankLayout(int count, int cores, int threads, ResourceProfile profile) {
  static final String TASK_CPUS = "spark.task.cpus";
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
    if (sized.cores() > ranks.cores()) {
      checkTaskSize(sized.cores(), ranks, host);
    }
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
    if (sized.cores() == 0 && ranks.count() == 0) {
      RankGroups.tooSmall(host, sized, cores).ifPresent(note);
    }
    int threads = sized.pinning().smt() ? ExecutorHosts.threadsOfCore(host) * cores : cores;
    return new RankLayout(count, cores, threads, null);
  }

  /** Ranks that are as large as tasks have to find room, for which the tasks can be smaller. */
  private static void checkTaskSize(int taskCpus, RanksConfig ranks, Topology host) {
    int count = Math.max(1, ranks.count());
    int most = RankGroups.of(host, ranks, count).cores();
    if (most < taskCpus && RankGroups.ofCores(host, ranks, taskCpus).groups().size() < count) {
      throw taskTooLarge(taskCpus, count, most, RankGroups.describe(host, ranks));
    }
  }

  static TunerException taskTooLarge(int taskCpus, int ranks, int most, String clusters) {
    return unsuitable(
        String.format(
            Locale.ROOT,
            "%s=%d, but %s can have %d %s in %s: set %s=%d",
            TASK_CPUS,
            taskCpus,
            ranks == 1 ? "a rank" : "each of " + ranks + " ranks",
            most,
            most == 1 ? "core" : "cores",
            clusters,
            TASK_CPUS,
            most));
  }

  private static RankLayout cluster(
      JavaSparkContext context, RanksConfig ranks, Progress progress, Cancellation cancellation)
      throws InterruptedException {
    RanksConfig sized = sized(ranks, context.getConf());
    checkExecutorSize(sized, context.getConf());
    Map<Integer, ResourceProfile> profiles = new HashMap<>(); // Spark keeps each that it is shown
    IntFunction<ResourceProfile> profile =
        cores -> profiles.computeIfAbsent(cores, key -> profile(context, key));
    long start = System.nanoTime();
    long saidAt = start;
    long changedAt = start;
    Set<String> before = Set.of();
    while (true) {
      cancellation.check();
      Set<String> executors = executors(context);
      ExecutorHosts hosts = ExecutorHosts.of(facts(executors), sized);
      if (!executors.equals(before)) {
        before = executors;
        changedAt = System.nanoTime();
      }
      ClusterOffer offer =
          new ClusterOffer(
              hosts,
              awaited(context, sized, executors.size())
                  + executors.size()
                  - hosts.executors().size(),
              System.nanoTime() - changedAt > SETTLE_NANOS,
              context.getConf().getInt(EXECUTOR_CORES, Integer.MAX_VALUE),
              cores -> slots(context, profile.apply(cores)),
              sized.cores() > ranks.cores());
      Optional<ClusterOffer.Size> size = offer.size();
      if (size.isPresent()) {
        int cores = size.get().cores();
        sayIfIdle(size.get(), hosts, progress);
        int threads = sized.pinning().smt() ? hosts.threadsOfCore() * cores : cores;
        return new RankLayout(size.get().count(), cores, threads, profile.apply(cores));
      }
      if (System.nanoTime() - start > ranks.patience().toNanos()) {
        throw new TunerException(
            ExitCode.NO_FREE_SLOTS,
            String.format(
                Locale.ROOT,
                "Cannot start ranks: after %d s there are %s, %s needed (ranks.wait)",
                ranks.patience().toSeconds(),
                offer.describe(),
                ranks.count() > 0 ? ranks.count() + " are" : "one is"));
      }
      if (System.nanoTime() - saidAt > SAY_NANOS) {
        saidAt = System.nanoTime();
        progress.say("waiting for executors: there are " + offer.describe());
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  /** Ids of those that Spark counts slots of. */
  private static Set<String> executors(JavaSparkContext context) {
    return Set.copyOf(JavaConverters.seqAsJavaList(context.sc().getExecutorIds()));
  }

  private static List<ExecutorFacts> facts(Set<String> executors) {
    return DriverEndpoint.executors().values().stream()
        .filter(facts -> executors.contains(facts.executor()))
        .toList();
  }

  /**
   * Executors that are still to come: YARN and Kubernetes start as many as they are told. Where
   * nobody says how many ranks there are, those have to do that have come.
   */
  private static int awaited(JavaSparkContext context, RanksConfig ranks, int executors) {
    String master = context.master();
    boolean told = master.startsWith("yarn") || master.startsWith("k8s");
    return told && ranks.count() > 0
        ? Math.max(0, context.getConf().getInt("spark.executor.instances", 0) - executors)
        : 0;
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

  /** Where nobody said how large ranks are, cores that they leave idle are worth a line. */
  private static void sayIfIdle(ClusterOffer.Size size, ExecutorHosts hosts, Progress progress) {
    if (hosts.ranks().cores() > 0) {
      return;
    }
    int cores = size.cores();
    int cluster = hosts.coresOfCluster();
    if (hosts.ranks().count() == 0) {
      hosts.tooSmall(cores).ifPresent(progress::say);
    }
    if (cores < cluster && size.count() <= hosts.groups(cluster)) {
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

  static TunerException unsuitable(String reason) {
    return new TunerException(ExitCode.UNSUITABLE, "Cannot start ranks: " + reason);
  }
}
