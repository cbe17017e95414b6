package org.glmtuner.driver;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.EvaluationRow;
import org.glmtuner.evaluation.Prediction;
import org.glmtuner.executor.Completion;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.Prompt;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/** {@code evaluate}: what the model answers to the rows of {@code data.validation}. */
public final class EvaluateJob {
  private static final String KEY = "data.validation";

  private final SparkSession spark;
  private final TunerConfig config;
  private final Progress progress;
  private final Cancellation cancellation;

  public EvaluateJob(
      SparkSession spark, TunerConfig config, Progress progress, Cancellation cancellation) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
    this.cancellation = cancellation;
  }

  /**
   * Answers beside their references, in the order of the rows.
   *
   * @param base those of the base without a prefix; empty where they were not asked for
   * @param duration of generating them all, the start of the ranks included
   */
  public record Answers(List<Prediction> predictions, List<Prediction> base, Duration duration) {}

  /**
   * Answers all rows.
   *
   * @param checkpoint directory of a prefix, {@code latest} or {@code best} for one of
   *     run.directory, or empty for the base alone
   * @param compareBase also answers with the base alone
   * @throws TunerException (exit code 2) where {@code data.validation} is empty, (6) where too many
   *     of its rows are malformed, or none can be used
   */
  public Answers run(String checkpoint, boolean compareBase)
      throws IOException, InterruptedException {
    if (config.data().validation().isEmpty()) {
      throw TunerException.invalid("Invalid " + KEY + ": empty (evaluate needs it)");
    }
    ServeJob job = new ServeJob(spark, config, progress, cancellation);
    BaseFiles base = BaseFiles.open(config, job.settings());
    RowTokenizer source = RowTokenizer.of(job.context(), base, config.data(), config.cache());
    List<EvaluationRow> rows = rows(job, source);
    List<Prompt> prompts = new ArrayList<>();
    for (EvaluationRow row : rows) {
      prompts.add(new Prompt(prompts.size(), row.inputIds()));
    }
    long start = System.nanoTime();
    List<Completion> completions = job.complete(base, prompts, "rows", checkpoint, compareBase);
    Duration duration = Duration.ofNanos(System.nanoTime() - start);
    try (ChatGlmTokenizer tokenizer = source.load()) {
      List<Prediction> predictions = new ArrayList<>();
      List<Prediction> baseline = new ArrayList<>();
      for (Completion completion : completions) {
        String reference =
            tokenizer.decodeSkippingSpecials(rows.get((int) completion.id()).labels());
        predictions.add(
            new Prediction(reference, tokenizer.decodeSkippingSpecials(completion.newIds())));
        if (compareBase) {
          baseline.add(
              new Prediction(reference, tokenizer.decodeSkippingSpecials(completion.baseIds())));
        }
      }
      return new Answers(predictions, baseline, duration);
    }
  }

  /** Rows with an empty prompt or reference are passed over, as officially. */
  private List<EvaluationRow> rows(ServeJob job, RowTokenizer source) throws IOException {
    String paths = config.data().validation();
    List<JudgedRow<EvaluationRow>> rows =
        RowFiles.find(job.context(), job.settings(), config.data(), KEY, paths)
            .rows()
            .mapPartitions(
                part ->
                    JudgedRow.each(part, source.evaluationRows(source.loadForTask())).iterator())
            .collect();
    RowReport report = RowReport.of(rows);
    progress.say(KEY + ": " + report);
    report.check(KEY, paths, config.data().maxRejectedShare());
    return rows.stream().map(JudgedRow::value).filter(Objects::nonNull).toList();
  }
}
