package org.glmtuner.driver;

import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.EvaluationRow;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;
import org.glmtuner.evaluation.Prediction;
import org.glmtuner.executor.Completion;
import org.glmtuner.executor.CompletionTask;
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

  /** A row, or why it is none: {@code row} is null then. */
  record Candidate(String file, long number, EvaluationRow row, String problem)
      implements Serializable {}

  /**
   * Answers all rows.
   *
   * @param checkpoint directory of a prefix, {@code latest} or {@code best} for one of
   *     run.directory, or empty for the base alone
   * @param compareBase also answers with the base alone
   * @throws TunerException (exit code 2) where {@code data.validation} is empty, (6) where too many
   *     of its rows are malformed
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
    job.checkLengths(base, prompts);
    progress.expect("rows", rows.size());
    long start = System.nanoTime();
    List<Completion> completions =
        new ArrayList<>(
            job.run(
                base,
                job.context().parallelize(prompts, 1), // dealt out evenly, one by one
                checkpoint,
                compareBase,
                CompletionTask::new));
    Duration duration = Duration.ofNanos(System.nanoTime() - start);
    completions.sort(Comparator.comparingLong(Completion::id));
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

  private List<EvaluationRow> rows(ServeJob job, RowTokenizer source) throws IOException {
    String paths = config.data().validation();
    List<Candidate> candidates =
        RowFiles.find(job.context(), job.settings(), config.data(), KEY, paths)
            .rows()
            .mapPartitions(part -> candidates(part, source))
            .collect();
    List<EvaluationRow> rows = new ArrayList<>();
    List<Candidate> malformed = new ArrayList<>();
    for (Candidate candidate : candidates) {
      if (candidate.row() == null) {
        malformed.add(candidate);
      } else {
        rows.add(candidate.row());
      }
    }
    progress.say(KEY + ": " + rows.size() + " rows, " + malformed.size() + " malformed ones");
    if (rows.isEmpty() || malformed.size() > config.data().maxRejectedShare() * candidates.size()) {
      throw TunerException.damaged(
          "Cannot use "
              + paths
              + " ("
              + KEY
              + "): "
              + malformed.size()
              + " of "
              + candidates.size()
              + " rows are malformed, data.max-rejected-share allows "
              + config.data().maxRejectedShare()
              + malformed.stream()
                  .findFirst()
                  .map(row -> "; " + row.file() + ", row " + row.number() + ": " + row.problem())
                  .orElse(""));
    }
    return rows;
  }

  /** Rows with an empty prompt or reference are passed over, as officially. */
  private static Iterator<Candidate> candidates(Iterator<RowFiles.Row> rows, RowTokenizer source)
      throws IOException {
    List<Candidate> candidates = new ArrayList<>();
    try (ChatGlmTokenizer tokenizer = source.load()) {
      RowParser<EvaluationRow> parser = source.evaluationRows(tokenizer);
      while (rows.hasNext()) {
        RowFiles.Row row = rows.next();
        if (row.isBlank()) {
          continue;
        }
        RowOutcome<EvaluationRow> outcome = row.parse(parser);
        if (outcome instanceof RowOutcome.Accepted<EvaluationRow> accepted) {
          candidates.add(new Candidate(row.file(), row.row(), accepted.value(), null));
        } else if (outcome instanceof RowOutcome.Rejected<EvaluationRow> rejected) {
          candidates.add(new Candidate(row.file(), row.row(), null, rejected.reason()));
        }
      }
    }
    return candidates.iterator();
  }
}
