package org.glmtuner.driver;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.diagnosis.Diagnosis;
import org.glmtuner.diagnosis.Finding;
import org.glmtuner.diagnosis.Findings;
import org.glmtuner.diagnosis.RankChecks;
import org.glmtuner.diagnosis.Verdict;
import org.glmtuner.diagnosis.Versions;
import org.glmtuner.executor.BarrierTrainer;
import org.glmtuner.executor.DoctorPlan;
import org.glmtuner.executor.DoctorTask;
import org.glmtuner.executor.LocalCheckup;
import org.glmtuner.executor.MicroBatchMemory;
import org.glmtuner.executor.TaskMessage;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.storage.HadoopSettings;
import org.glmtuner.storage.RandomNames;

/** {@code doctor}: what would stop a run here, or make it slow. */
@SuppressWarnings("try") // the watch is held, not used
public final class DoctorJob {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration NO_COLLECTIVES =
      Duration.ofDays(1); // tasks have limits of their own

  /** Who checks does not wait until another run has ended. */
  private static final Duration CLAIM_PATIENCE = Duration.ofSeconds(15);

  private final TunerConfig config;
  private final String storage;
  private final Cancellation cancellation;
  private final Findings findings;

  /**
   * Prepares checks.
   *
   * @param config its {@code ranks.wait} is for executors on a cluster, and for free cores of this
   *     machine alone
   * @param storage where the file system is tried; empty for where run.directory is to be
   */
  public DoctorJob(TunerConfig config, String storage, Cancellation cancellation) {
    this.config = config;
    this.storage = storage.isEmpty() ? config.run().directory() : storage;
    this.cancellation = cancellation;
    this.findings = new Findings("driver", cancellation::check);
  }

  /** Checks this machine alone, without Spark. */
  public Diagnosis local() throws IOException, InterruptedException {
    HadoopSettings settings = HadoopSettings.ofConfigured();
    DoctorPlan plan =
        new DoctorPlan(
            RandomNames.next(),
            config,
            settings,
            config.ranks().count(),
            0,
            base(settings, Math.max(1, config.ranks().cores())),
            storage);
    return new Diagnosis(both(LocalCheckup.run(plan, cancellation)));
  }

  /** Checks all executors of a session, each rank on its own and all together. */
  public Diagnosis cluster(SparkSession spark, Progress progress)
      throws IOException, InterruptedException {
    JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
    HadoopSettings settings = HadoopSettings.of(context.hadoopConfiguration());
    findings.attempt("versions", LIMIT, "", () -> findings.ok("versions", Versions.describe()));
    RankLayout layout;
    try {
      layout = layout(context, progress);
    } catch (TunerException e) {
      findings.failed(
          "ranks",
          e,
          "give the executors what a rank needs",
          "try again when the cluster is less busy, or wait longer, as with -D ranks.wait=10m");
      return new Diagnosis(findings.list(), unchecked(e));
    }
    DoctorPlan plan =
        new DoctorPlan(
            RandomNames.next(),
            config.withRanks(config.ranks().withPatienceOf(CLAIM_PATIENCE)),
            settings,
            config.ranks().count(),
            layout.cores(),
            base(settings, layout.threads()),
            storage);
    Map<Integer, List<Finding>> byTask = new TreeMap<>();
    Optional<TunerException> failure = check(context, plan, layout, byTask);
    failure.ifPresent(
        lost ->
            findings.failed(
                "cluster",
                lost,
                "see the executors' logs; a container that is too small ends its executor (spark.executor.memoryOverhead)",
                "try again when the cluster is less busy"));
    List<Finding> found = byTask.values().stream().flatMap(List::stream).toList();
    compare(found);
    return new Diagnosis(both(found), failure.flatMap(DoctorJob::unchecked));
  }

  private static Optional<TunerException> unchecked(TunerException failure) {
    return Optional.of(failure).filter(e -> e.exitCode() == ExitCode.NO_FREE_SLOTS);
  }

  /** That of a run first, which may leave executors idle; then one that has all of them. */
  private RankLayout layout(JavaSparkContext context, Progress progress)
      throws IOException, InterruptedException {
    RankLayout ofRun = RankLayout.decide(context, config, progress, cancellation);
    String size = " ranks of " + ofRun.cores() + " cores";
    int count = config.ranks().count();
    if (count == 0) {
      findings.ok("ranks", ofRun.count() + size + " can run at once");
      return ofRun;
    }
    RanksConfig most = config.ranks().withCount(0).withCores(ofRun.cores());
    RankLayout all = RankLayout.decide(context, config.withRanks(most), progress, cancellation);
    findings.ok(
        "ranks",
        count
            + size
            + " are to run, and can at once"
            + (all.count() > count ? "; all " + all.count() + " slots are checked" : ""));
    return all;
  }

  /**
   * Runs the tasks.
   *
   * @param byTask gets what each task has found, whatever happens to it
   * @return why not all have ended as they should
   */
  private Optional<TunerException> check(
      JavaSparkContext context,
      DoctorPlan plan,
      RankLayout layout,
      Map<Integer, List<Finding>> byTask) {
    List<Integer> partitions = IntStream.range(0, layout.count()).boxed().toList();
    AttemptMonitor monitor =
        AttemptMonitor.open(
            plan.attempt(),
            layout.count(),
            NO_COLLECTIVES,
            message -> {
              if (message instanceof TaskMessage.Found said) {
                byTask
                    .computeIfAbsent(said.partition(), task -> new ArrayList<>())
                    .addAll(said.findings().stream().map(Finding::parse).toList());
              }
            });
    try (monitor;
        JobWatch watch =
            JobWatch.start(context.sc(), plan.attempt(), config.ranks().patience(), monitor)) {
      BarrierTrainer.stage(
          context.parallelize(partitions, layout.count()), new DoctorTask(plan), layout.profile());
      return Optional.empty();
    } catch (Exception e) { // Scala does not declare what it throws
      return monitor
          .failure()
          .or(() -> Optional.of(SparkFailures.explain("check the cluster", e, List.of())));
    }
  }

  /** The model, where one is configured and can be read. */
  private DoctorPlan.Base base(HadoopSettings settings, int threads) throws InterruptedException {
    if (config.model().path().isEmpty()) {
      return null;
    }
    return findings.value(
        "model",
        LIMIT,
        "set model.path to the directory of the published model",
        null,
        () -> {
          BaseFiles base = BaseFiles.open(config, settings);
          int longest = config.data().maxSourceLength() + config.data().maxTargetLength();
          MicroBatchMemory memory =
              base.microBatches(
                  config,
                  ChatGlmConfig.Prefix.of(config.prefix()),
                  threads,
                  MicroBatchMemory.Samples.unknown(longest));
          findings.ok("model", base.location() + " is complete");
          return new DoctorPlan.Base(base.fingerprint(), memory);
        });
  }

  /** What only shows beside the others. */
  private void compare(List<Finding> found) throws IOException {
    List<Double> rates =
        found.stream()
            .filter(finding -> finding.values().containsKey("gflops"))
            .map(finding -> finding.values().get("gflops") * 1e9)
            .toList();
    if (rates.size() > 1) {
      RankChecks.balance(findings, rates);
    }
    Versions.compare(
        findings,
        Versions.programs(),
        found.stream()
            .filter(f -> f.check().equals("versions") && f.verdict() == Verdict.OK)
            .map(Finding::found)
            .toList());
  }

  private List<Finding> both(List<Finding> others) {
    List<Finding> all = new ArrayList<>(findings.list());
    all.addAll(others);
    return all;
  }
}
