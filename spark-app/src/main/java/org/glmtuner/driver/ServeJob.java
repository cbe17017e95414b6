package org.glmtuner.driver;

import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.checkpoint.Checkpoints;
import org.glmtuner.checkpoint.PrefixSource;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.Completion;
import org.glmtuner.executor.CompletionTask;
import org.glmtuner.executor.MicroBatchMemory;
import org.glmtuner.executor.ServePlan;
import org.glmtuner.executor.TaskMessage;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;
import org.glmtuner.storage.RandomNames;

/**
 * A Spark job whose tasks ask ranks that work alone, without a process group: what scoring and
 * generating have in common.
 */
@SuppressWarnings("try") // the watch is held, not used
final class ServeJob {
  /** Stand for the newest checkpoint of run.directory and for the best one. */
  static final String LATEST = "latest";

  static final String BEST = "best";

  private static final Duration NO_COLLECTIVES = Duration.ofDays(1);

  private final JavaSparkContext context;
  private final TunerConfig config;
  private final HadoopSettings settings;
  private final Progress progress;
  private final Cancellation cancellation;

  ServeJob(SparkSession spark, TunerConfig config, Progress progress, Cancellation cancellation) {
    this.context = new JavaSparkContext(spark.sparkContext());
    this.config = config;
    this.settings = HadoopSettings.of(context.hadoopConfiguration());
    this.progress = progress;
    this.cancellation = cancellation;
  }

  JavaSparkContext context() {
    return context;
  }

  HadoopSettings settings() {
    return settings;
  }

  /**
   * Deals {@code items} out to as many ranks as the configuration allows and collects their
   * answers, in no order.
   *
   * @param checkpoint directory of a prefix, {@link #LATEST}, {@link #BEST}, or empty for the base
   *     alone
   */
  <Q, A> List<A> run(
      BaseFiles base,
      JavaRDD<Q> items,
      String checkpoint,
      boolean compareBase,
      Function<ServePlan, FlatMapFunction<java.util.Iterator<Q>, A>> task)
      throws IOException, InterruptedException {
    String prefix =
        checkpoint.equals(LATEST) || checkpoint.equals(BEST) ? ofRun(checkpoint) : checkpoint;
    ChatGlmConfig.Prefix shape =
        prefix.isEmpty()
            ? ChatGlmConfig.Prefix.NONE
            : base.checkPrefix(PrefixSource.of(prefix, settings));
    RankLayout layout = RankLayout.decide(context, config, progress, cancellation);
    int longest = config.data().maxSourceLength() + config.data().maxTargetLength();
    ServePlan plan =
        new ServePlan(
            RandomNames.next(),
            config,
            settings,
            layout.count(),
            layout.cores(),
            base.microBatches(
                config, shape, layout.threads(), MicroBatchMemory.Samples.unknown(longest)),
            prefix,
            compareBase);
    AttemptMonitor monitor =
        AttemptMonitor.open(
            plan.attempt(),
            layout.count(),
            NO_COLLECTIVES,
            message -> {
              if (message instanceof TaskMessage.Note note) {
                progress.say(note.member() + ": " + note.text());
              } else if (message instanceof TaskMessage.Answered answered) {
                progress.done(answered.items());
              }
            });
    try (monitor;
        JobWatch watch =
            JobWatch.start(context.sc(), plan.attempt(), config.ranks().patience(), monitor)) {
      JavaRDD<A> answers = items.repartition(layout.count()).mapPartitions(task.apply(plan));
      return (layout.profile() == null ? answers : answers.withResources(layout.profile()))
          .collect();
    } catch (Exception e) { // Scala does not declare what it throws
      throw monitor.failure().orElseGet(() -> SparkFailures.explain("compute", e));
    }
  }

  /**
   * Completes prompts, which are dealt out evenly, with progress.
   *
   * @param items what the prompts are, for people
   * @return in the order of the prompts
   * @throws TunerException (exit code 2) where a prompt and its completion may have more tokens
   *     than the model's max_sequence_length
   */
  List<Completion> complete(
      BaseFiles base, List<Prompt> prompts, String items, String checkpoint, boolean compareBase)
      throws IOException, InterruptedException {
    checkLengths(base, prompts);
    progress.expect(items, prompts.size());
    JavaRDD<Prompt> one = context.parallelize(prompts, 1); // of many, some stay empty
    return run(base, one, checkpoint, compareBase, CompletionTask::new).stream()
        .sorted(Comparator.comparingLong(Completion::id))
        .toList();
  }

  private void checkLengths(BaseFiles base, List<Prompt> prompts) {
    int most = config.generation().maxNewTokens(config.data());
    int limit = base.config().maxSequenceLength();
    for (Prompt prompt : prompts) {
      if (prompt.ids().length + most > limit) {
        throw TunerException.invalid(
            "Invalid generation.max-new-tokens: "
                + most
                + " (prompt "
                + prompt.number()
                + " has "
                + prompt.ids().length
                + " tokens, and the model's max_sequence_length is "
                + limit
                + ")");
      }
    }
  }

  private String ofRun(String which) throws IOException {
    if (config.run().directory().isEmpty()) {
      throw TunerException.invalid(
          "Invalid --checkpoint: " + which + " (run.directory says of which run)");
    }
    Directory run = Directory.of(config.run().directory(), settings);
    Checkpoints.Listing all = new Checkpoints(run).list();
    return (which.equals(LATEST) ? all.newest() : all.best())
        .map(published -> run.child(published.name()).location())
        .orElseThrow(
            () ->
                TunerException.damaged(
                    "Cannot find the "
                        + which
                        + " checkpoint: "
                        + run.location()
                        + " has no complete one"
                        + (which.equals(BEST) ? " with a loss on data.validation" : "")));
  }
}
