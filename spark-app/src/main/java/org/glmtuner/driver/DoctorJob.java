package org.glmtuner.driver;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
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

  private final TunerConfig config;
  private final String storage;
  private final Findings findings;

  /**
   * Prepares checks.
   *
   * @param storage where the file system is tried; empty for where run.directory is to be
   */
  public DoctorJob(TunerConfig config, String storage) {
    this.config = config;
    this.storage = storage.isEmpty() ? config.run().directory() : storage;
    this.findings = new Findings("driver");
  }

  /** Checks this machine alone, without Spark. */
  public Diagnosis local() throws IOException, InterruptedException {
    HadoopSettings settings = HadoopSettings.ofConfigured();
    DoctorPlan plan =
        new DoctorPlan(
            RandomNames.next(),
            config,
            settings,
            0,
            base(settings, Math.max(1, config.ranks().cores())),
            storage);
    return new Diagnosis(both(LocalCheckup.run(plan)));
  }

  /** Checks all executors of a session, each rank on its own and all together. */
  public Diagnosis cluster(SparkSession spark, Progress progress, Cancellation cancellation)
      throws IOException, InterruptedException {
    JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
    HadoopSettings settings = HadoopSettings.of(context.hadoopConfiguration());
    findings.attempt("versions", LIMIT, "", () -> findings.ok("versions", Versions.describe()));
    RankLayout layout;
    try {
      layout = RankLayout.decide(context, config, progress, cancellation);
    } catch (TunerException e) {
      cancellation.check();
      findings.problem("ranks", e.getMessage(), "give the executors what a rank needs");
      return new Diagnosis(findings.list());
    }
    findings.ok("ranks", layout.count() + " ranks of " + layout.cores() + " cores can run at once");
    DoctorPlan plan =
        new DoctorPlan(
            RandomNames.next(),
            config,
            settings,
            layout.cores(),
            base(settings, layout.threads()),
            storage);
    List<Finding> found = check(context, plan, layout);
    compare(found);
    return new Diagnosis(both(found));
  }

  private List<Finding> check(JavaSparkContext context, DoctorPlan plan, RankLayout layout) {
    List<Integer> partitions = IntStream.range(0, layout.count()).boxed().toList();
    AttemptMonitor monitor =
        AttemptMonitor.open(plan.attempt(), layout.count(), NO_COLLECTIVES, message -> {});
    try (monitor;
        JobWatch watch =
            JobWatch.start(context.sc(), plan.attempt(), config.ranks().patience(), monitor)) {
      return BarrierTrainer.stage(
              context.parallelize(partitions, layout.count()),
              new DoctorTask(plan),
              layout.profile())
          .stream()
          .map(Finding::parse)
          .toList();
    } catch (Exception e) { // Scala does not declare what it throws
      throw monitor.failure().orElseGet(() -> SparkFailures.explain("check the cluster", e));
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
  private void compare(List<Finding> found) {
    List<Double> rates =
        found.stream()
            .filter(finding -> finding.values().containsKey("gflops"))
            .map(finding -> finding.values().get("gflops") * 1e9)
            .toList();
    if (rates.size() > 1) {
      RankChecks.balance(findings, rates);
    }
    Set<String> versions =
        found.stream()
            .filter(f -> f.check().equals("versions") && f.verdict() == Verdict.OK)
            .map(Finding::found)
            .collect(Collectors.toCollection(TreeSet::new));
    if (versions.size() > 1) {
      findings.warning(
          "versions", "hosts differ: " + String.join("; ", versions), "take the same everywhere");
    }
  }

  private List<Finding> both(List<Finding> others) {
    List<Finding> all = new ArrayList<>(findings.list());
    all.addAll(others);
    return all;
  }
}
