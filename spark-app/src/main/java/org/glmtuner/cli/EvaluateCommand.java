package org.glmtuner.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.EvaluateJob;
import org.glmtuner.driver.Progress;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.evaluation.Evaluation;
import org.glmtuner.evaluation.PredictResults;
import org.glmtuner.evaluation.Prediction;
import org.glmtuner.evaluation.PredictionFile;
import org.glmtuner.evaluation.Scorer;
import org.glmtuner.evaluation.Segmenter;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.report.ConsoleProgress;
import org.glmtuner.storage.TextFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code evaluate}: the official script's ROUGE and BLEU-4. */
@Command(
    name = "evaluate",
    description = {
      "Answers the prompts of data.validation as generation.* says and scores the answers against the responses",
      "as the official script does: ROUGE-1, ROUGE-2, ROUGE-L and BLEU-4, in percent. An empty answer scores 0."
    },
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;
  @Mixin private PrefixOptions prefix;

  @Option(
      names = "--predictions",
      paramLabel = "FILE",
      description = {
        "Scores this file instead, without a model: JSON Lines with the texts labels and predict,",
        "such as the official generated_predictions.txt; a local path or a Hadoop URI."
      })
  private String predictions = "";

  @Option(
      names = "--output",
      paramLabel = "DIRECTORY",
      description = {
        "Where "
            + PredictResults.NAME
            + " and "
            + PredictionFile.NAME
            + " go, with those of the base in base/;",
        "a local path or a Hadoop URI."
      })
  private String output = "";

  @Override
  public Integer call() throws Exception {
    TunerConfig config = options.load();
    if (predictions.isEmpty()) {
      generate(config);
      return 0;
    }
    if (!prefix.isEmpty()) {
      throw TunerException.invalid(
          "Invalid arguments: --predictions has its answers already, there is nothing to do for --checkpoint and --compare-base");
    }
    return main.withoutSpark("evaluate", this::scoreFile);
  }

  private void generate(TunerConfig config) throws IOException, InterruptedException {
    boolean compareBase = prefix.compareBase();
    try (ScoreFiles files = ScoreFiles.begin(output, true); // first: answers take long
        ScoreFiles baseFiles = ScoreFiles.begin(compareBase ? base(output) : "", true);
        SparkSession spark = SparkSetup.start("evaluate", config);
        Progress progress = ConsoleProgress.onStandardError(SparkSetup.hasTerminal(spark))) {
      main.cancellation().watch(spark.sparkContext());
      EvaluateJob.Answers answers =
          new EvaluateJob(spark, config, progress, main.cancellation())
              .run(prefix.checkpoint(), compareBase);
      Scorer scorer = new Scorer(Segmenter.load());
      Evaluation evaluation = score(answers.predictions(), scorer);
      JsonObject line = summary(evaluation);
      if (compareBase) { // both were generated in one pass: there is no time of either
        Evaluation base = score(answers.base(), scorer);
        files.store(evaluation, answers.predictions(), Optional.empty());
        baseFiles.store(base, answers.base(), Optional.empty());
        line.add("base", scores(base));
        progress.say(table(evaluation, base));
      } else {
        files.store(evaluation, answers.predictions(), Optional.of(answers.duration()));
      }
      System.out.println(line);
    }
  }

  private static String base(String directory) {
    return directory.isEmpty() ? "" : directory + "/base";
  }

  private static Evaluation score(List<Prediction> answers, Scorer scorer) {
    Evaluation.Summary summary = new Evaluation.Summary(scorer);
    answers.forEach(summary::add);
    return summary.evaluation();
  }

  private int scoreFile() throws IOException {
    try (ScoreFiles files = ScoreFiles.begin(output, false)) {
      Evaluation evaluation = scorePredictions();
      files.store(evaluation, List.of(), Optional.empty());
      System.out.println(summary(evaluation));
      return 0;
    }
  }

  private Evaluation scorePredictions() throws IOException {
    try (InputStream file = TextFile.open(predictions)) {
      Evaluation.Summary summary = new Evaluation.Summary(new Scorer(Segmenter.load()));
      PredictionFile.read(
          file,
          predictions,
          prediction -> {
            if (main.cancellation().isCancelled()) {
              throw new TunerException(ExitCode.CANCELLED, "Cancelled");
            }
            summary.add(prediction);
          });
      if (summary.isEmpty()) {
        throw TunerException.damaged("Cannot read " + predictions + ": it has no predictions");
      }
      return summary.evaluation();
    }
  }

  private static String table(Evaluation tuned, Evaluation base) {
    return String.format("%-14s %8s %8s %8s %8s", "", "ROUGE-1", "ROUGE-2", "ROUGE-L", "BLEU-4")
        + row("with prefix", tuned)
        + row("base alone", base);
  }

  private static String row(String name, Evaluation evaluation) {
    return String.format(
        Locale.ROOT,
        "%n%-14s %8.2f %8.2f %8.2f %8.2f",
        name,
        evaluation.mean().rouge1(),
        evaluation.mean().rouge2(),
        evaluation.mean().rougeL(),
        evaluation.mean().bleu4());
  }

  private JsonObject summary(Evaluation evaluation) {
    JsonObject line = new JsonObject();
    line.addProperty("status", "finished");
    scores(evaluation).asMap().forEach(line::add);
    line.addProperty("samples", evaluation.samples());
    line.addProperty("empty_predictions", evaluation.emptyPredictions());
    line.addProperty("empty_labels", evaluation.emptyLabels());
    if (!output.isEmpty()) {
      line.addProperty("output", output);
    }
    return line;
  }

  private static JsonObject scores(Evaluation evaluation) {
    JsonObject scores = new JsonObject();
    scores.addProperty("rouge-1", evaluation.mean().rouge1());
    scores.addProperty("rouge-2", evaluation.mean().rouge2());
    scores.addProperty("rouge-l", evaluation.mean().rougeL());
    scores.addProperty("bleu-4", evaluation.mean().bleu4());
    return scores;
  }
}
