package org.glmtuner.driver;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.checkpoint.Checkpoints;
import org.glmtuner.checkpoint.PrefixSource;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.AttemptPlan;
import org.glmtuner.executor.BarrierTrainer;
import org.glmtuner.executor.RowKey;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.metrics.MetricsLog;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.FileFailures;
import org.glmtuner.storage.HadoopSettings;
import org.glmtuner.storage.RandomNames;

/** A training run from configuration to result: resumes what its directory holds, or starts. */
@SuppressWarnings("try") // the watch is held, not used
public final class TrainingJob {
  private static final int COLLECTIVE_LIMIT_FACTOR = 4;

  private final SparkSession spark;
  private final JavaSparkContext context;
  private final TunerConfig config;
  private final Progress progress;
  private final Cancellation cancellation;
  private final HadoopSettings settings;
  private final long startNanos = System.nanoTime();

  /** {@code spark} was started by {@link SparkSetup}. */
  public TrainingJob(
      SparkSession spark, TunerConfig config, Progress progress, Cancellation cancellation) {
    this.spark = spark;
    this.context = new JavaSparkContext(spark.sparkContext());
    this.config = config;
    this.progress = progress;
    this.cancellation = cancellation;
    this.settings = HadoopSettings.of(context.hadoopConfiguration());
  }

  /**
   * Runs to the end on the caller's thread.
   *
   * @return the result, which is in the run directory too
   * @throws TunerException saying why the run did not finish; {@code result.json} says it too
   */
  public TrainingResult run() throws IOException, InterruptedException {
    require(config.run().directory(), "run.directory");
    require(config.model().path(), "model.path");
    require(config.data().train(), "data.train");
    RunDirectory run;
    int attempt;
    Optional<TrainingResult> previous;
    try {
      run = new RunDirectory(Directory.of(config.run().directory(), settings));
      attempt = run.claim(config);
      previous = run.result();
    } catch (IOException e) {
      throw FileFailures.explain("use run.directory " + config.run().directory(), e);
    }
    if (previous.isPresent() && previous.get().isFinished()) {
      progress.say("this run has finished: " + run.directory().location());
      return previous.get();
    }
    ResultBuilder result =
        new ResultBuilder(
            config.run().id(), attempt, previous.map(TrainingResult::seconds).orElse(0.0));
    try {
      train(run, result);
      TrainingResult finished = result.build(elapsed(), run);
      run.checkHeld();
      run.store(finished);
      return finished;
    } catch (Exception e) { // Scala does not declare what it throws
      TunerException failure = explain(e);
      try {
        run.checkHeld();
        run.store(result.build(elapsed(), run).ended(failure));
      } catch (TunerException takenOver) {
        takenOver.addSuppressed(failure);
        throw takenOver;
      } catch (IOException | RuntimeException storing) {
        failure.addSuppressed(storing);
      }
      throw failure;
    }
  }

  private void train(RunDirectory run, ResultBuilder result)
      throws IOException, InterruptedException {
    BaseFiles base = BaseFiles.open(config, settings);
    if (!config.prefix().initFrom().isEmpty()) {
      base.checkPrefix(PrefixSource.of(config.prefix().initFrom(), settings), config.prefix());
    }
    RankLayout layout = RankLayout.decide(context, config, progress, cancellation);
    result.worldSize(layout.count());
    SampleStore store = new SampleStore(spark, config, settings, base, progress);
    SampleStore.Samples samples = store.provide(run.directory());
    run.checkFingerprints(base.fingerprints(samples.fingerprint()));
    Checkpoints checkpoints = new Checkpoints(run.directory());
    checkpoints.removeTemporary();
    Optional<Checkpoints.Published> newest = newest(checkpoints.list(), run);
    if (newest.map(published -> published.manifest().ended()).orElse(false)) {
      progress.say("the run ended with " + newest.get().name());
      return;
    }
    long first = newest.map(published -> published.manifest().step()).orElse(0L);
    SampleSchedule schedule =
        new SampleSchedule(
            config.run().seed(),
            samples.count(),
            config.data().shuffle(),
            config.training().globalBatch());
    AttemptPlan plan =
        new AttemptPlan(
            RandomNames.next(),
            config,
            settings,
            layout.cores(),
            base.microBatches(
                config,
                ChatGlmConfig.Prefix.of(config.prefix()),
                layout.threads(),
                samples.statistics(config.training().globalBatch())),
            newest.map(Checkpoints.Published::name).orElse(""),
            schedule.steps(config.training().length(), first));
    newest.ifPresent(published -> progress.say("resuming from " + published.name()));
    progress.say(estimate(plan, layout, samples));
    if (plan.steps().first() < plan.steps().end()) {
      attempt(plan, layout, schedule, samples, run, result);
    }
  }

  /** Says what is passed over: a run must not start again from nothing without a word. */
  private Optional<Checkpoints.Published> newest(Checkpoints.Listing found, RunDirectory run) {
    found.problems().forEach(progress::say);
    if (found.complete().isEmpty() && !found.problems().isEmpty()) {
      throw TunerException.damaged(
          "Cannot resume "
              + run.directory().location()
              + ": "
              + String.join("; ", found.problems())
              + " (remove what is damaged to train from the first step on)");
    }
    return found.newest();
  }

  private void attempt(
      AttemptPlan plan,
      RankLayout layout,
      SampleSchedule schedule,
      SampleStore.Samples samples,
      RunDirectory run,
      ResultBuilder result)
      throws IOException {
    Broadcast<SampleSchedule.Deal> deal =
        context.broadcast(schedule.deal(plan.steps(), samples.tokens(), layout.count()));
    JavaPairRDD<RowKey, Sample> rows =
        ScheduledRows.of(samples.training(), samples.validation(), schedule, deal, layout.count());
    CheckpointGatherer gatherer =
        new CheckpointGatherer(
            run,
            layout.count(),
            config.training().intervals().keepCheckpoints(),
            plan.steps().end());
    Duration collectiveLimit =
        config.ranks().heartbeatTimeout().multipliedBy(COLLECTIVE_LIMIT_FACTOR);
    Optional<TunerException> failure;
    try (MetricsLog metrics = MetricsLog.open(run.directory(), plan.steps().first())) {
      AttemptListener listener =
          new AttemptListener(plan, layout.count(), samples.count(), metrics, gatherer, progress);
      result.attempt(listener);
      AttemptMonitor monitor =
          AttemptMonitor.open(plan.attempt(), layout.count(), collectiveLimit, listener);
      try (monitor;
          JobWatch watch =
              JobWatch.start(context.sc(), plan.attempt(), config.ranks().patience(), monitor)) {
        BarrierTrainer.run(rows, plan, layout.profile());
      } catch (Exception e) { // Scala does not declare what it throws
        throw monitor
            .failure()
            .orElseGet(() -> SparkFailures.explain("train", e, monitor.members()));
      }
      failure = monitor.failure();
    } finally {
      progress.close();
      deal.destroy();
    }
    if (failure.isPresent()) {
      throw failure.get();
    }
    if (!gatherer.isComplete()) {
      throw new TunerException(
          ExitCode.TRAINING_FAILED,
          "Cannot finish: the last checkpoint was not published, the newest is of step "
              + gatherer.published());
    }
  }

  private String estimate(AttemptPlan plan, RankLayout layout, SampleStore.Samples samples) {
    long values = plan.microBatches().memory().trainableValues();
    long steps = plan.steps().end() - plan.steps().first();
    return String.format(
        Locale.ROOT,
        "%d ranks of %d cores; %d samples of %.1f tokens; %d steps of %d samples, %.2f epochs, about %.0f tokens; %,d trainable values, %.1f MB a checkpoint",
        layout.count(),
        layout.cores(),
        samples.count(),
        samples.meanTokens(),
        steps,
        config.training().globalBatch(),
        (double) plan.steps().end() * config.training().globalBatch() / samples.count(),
        steps * config.training().globalBatch() * samples.meanTokens(),
        values,
        values * Float.BYTES * 4 / 1e6);
  }

  private TunerException explain(Exception e) {
    if (cancellation.isCancelled() || e instanceof InterruptedException) {
      return new TunerException(
          ExitCode.CANCELLED, "Cancelled: the run can be resumed by the same command", e);
    }
    return SparkFailures.explain("train", e);
  }

  private double elapsed() {
    return (System.nanoTime() - startNanos) / 1e9;
  }

  private static void require(String value, String key) {
    if (value.isEmpty()) {
      throw TunerException.invalid("Invalid " + key + ": empty (train needs it)");
    }
  }
}
