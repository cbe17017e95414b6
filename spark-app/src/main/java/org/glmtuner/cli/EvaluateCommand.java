package org.glmtuner.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.evaluation.Evaluation;
import org.glmtuner.evaluation.PredictResults;
import org.glmtuner.evaluation.PredictionFile;
import org.glmtuner.evaluation.Scorer;
import org.glmtuner.evaluation.Segmenter;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.TextFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code evaluate}: the official script's ROUGE and BLEU-4. */
@Command(
    name = "evaluate",
    description = {
      "Scores predictions as the official script does: ROUGE-1, ROUGE-2, ROUGE-L and BLEU-4, in percent.",
      "An empty prediction scores 0."
    },
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;

  @Option(
      names = "--predictions",
      paramLabel = "FILE",
      required = true,
      description = {
        "A file of predictions, such as the official generated_predictions.txt:",
        "JSON Lines with the texts labels and predict; a local path or a Hadoop URI."
      })
  private String predictions;

  @Option(
      names = "--output",
      paramLabel = "DIRECTORY",
      description = "Where " + PredictResults.NAME + " goes; a local path or a Hadoop URI.")
  private String output = "";

  @Override
  public Integer call() throws IOException {
    TunerConfig config = options.load();
    if (!Main.inYarnCluster()) {
      evaluate();
      return 0;
    }
    // There is nothing for a cluster to do, but YARN fails an application that starts no session.
    try (SparkSession spark = SparkSetup.start("evaluate", config.ranks())) {
      main.cancellation().watch(spark.sparkContext());
      evaluate();
    }
    return 0;
  }

  private void evaluate() throws IOException {
    Evaluation evaluation = scorePredictions();
    if (!output.isEmpty()) {
      write(output + "/" + PredictResults.NAME, PredictResults.json(evaluation, Optional.empty()));
    }
    System.out.println(summary(evaluation));
  }

  private Evaluation scorePredictions() throws IOException {
    try (InputStream file = TextFile.open(predictions)) {
      Evaluation.Summary summary = new Evaluation.Summary(new Scorer(Segmenter.load()));
      PredictionFile.read(
          file,
          predictions,
          prediction -> {
            if (main.cancellation().isRequested()) {
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

  private static void write(String file, String text) throws IOException {
    try (Writer writer = new OutputStreamWriter(TextFile.write(file), StandardCharsets.UTF_8)) {
      writer.write(text);
    }
  }

  private JsonObject summary(Evaluation evaluation) {
    JsonObject line = new JsonObject();
    line.addProperty("status", "finished");
    line.addProperty("rouge-1", evaluation.mean().rouge1());
    line.addProperty("rouge-2", evaluation.mean().rouge2());
    line.addProperty("rouge-l", evaluation.mean().rougeL());
    line.addProperty("bleu-4", evaluation.mean().bleu4());
    line.addProperty("samples", evaluation.samples());
    line.addProperty("empty_predictions", evaluation.emptyPredictions());
    line.addProperty("empty_labels", evaluation.emptyLabels());
    if (!output.isEmpty()) {
      line.addProperty("output", output);
    }
    return line;
  }
}
