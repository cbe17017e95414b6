package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.evaluation.PredictResults;
import org.glmtuner.evaluation.Prediction;
import org.glmtuner.evaluation.PredictionFile;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code evaluate} from the application's jar. */
class EvaluateIT {
  private static final Duration LIMIT = Duration.ofSeconds(40);

  @TempDir Path directory;

  @Test
  void predictionsOnHdfsAreScoredThere() throws Exception {
    Path file =
        Files.write(
            directory.resolve(PredictionFile.NAME),
            List.of(
                PredictionFile.line(new Prediction("这条连衣裙很显瘦", "这条连衣裙很显瘦")),
                PredictionFile.line(new Prediction("这条连衣裙很显瘦", ""))));
    try (HdfsProcess hdfs = HdfsProcess.start(directory.resolve("hdfs"));
        Submission submission =
            Submission.of(directory, "evaluate")
                .hdfs(hdfs)
                .arguments("--predictions", hdfs.put(file, "/predictions.txt"))
                .arguments("--output", hdfs.uri() + "/scores")
                .run(LIMIT)) {
      assertThat(submission.outLines()).as(submission.err()).hasSize(1);
      assertThat(submission.result())
          .isEqualTo(
              JsonParser.parseString(
                  "{\"status\":\"finished\",\"rouge-1\":50.0,\"rouge-2\":50.0,\"rouge-l\":50.0,\"bleu-4\":50.0,"
                      + "\"samples\":2,\"empty_predictions\":1,\"empty_labels\":0,\"output\":\""
                      + hdfs.uri()
                      + "/scores\"}"));
      assertThat(submission.err()).as("no Spark session").doesNotContain("SparkContext");
      assertThat(hdfs.directory("/scores").readText(PredictResults.NAME))
          .hasValueSatisfying(text -> assertThat(text).contains("\"predict_rouge-l\": 50.0"));
    }
  }

  @Test
  void theAnswersOfABaseAndOfAPrefixAreScoredSideBySide() throws Exception {
    Path sample = Checkout.module().resolve("src/sample");
    List<String> lines =
        new ArrayList<>(Files.readAllLines(sample.resolve("held-out.jsonl")).subList(0, 20));
    lines.add(3, "{\"content\": \"一\", \"summary\": \"\"}");
    lines.add("{\"content\": \"\", \"summary\": \"二\"}");
    Path rows = Files.write(directory.resolve("rows.jsonl"), lines);
    Path run = directory.resolve("run");
    Path output = directory.resolve("output");
    try (Submission train =
        model(Submission.of(directory, "train"), sample)
            .set("run.directory", run)
            .set("data.train", sample.resolve("train.jsonl"))
            .set("training.max-steps", 40)
            .set("training.learning-rate", 0.3)
            .run(LIMIT)) {
      assertThat(train.result().get("status").getAsString()).as(train.err()).isEqualTo("finished");
    }
    JsonObject result;
    try (Submission evaluate =
        model(
                Submission.of(directory, "evaluate", "--checkpoint", "latest", "--compare-base"),
                sample)
            .arguments("--output", output.toString())
            .set("run.directory", run)
            .set("data.validation", rows)
            .run(LIMIT)) {
      result = evaluate.result();
      assertThat(result.get("samples").getAsInt()).as(evaluate.err()).isEqualTo(20);
      assertThat(evaluate.err())
          .contains("data.validation: 20 samples, 0 malformed rows, 2 empty ones", "base alone");
    }
    for (Path directory : List.of(output, output.resolve("base"))) {
      Path predictions = directory.resolve(PredictionFile.NAME);
      assertThat(Files.readAllLines(predictions)).hasSize(20);
      JsonObject scores = directory.equals(output) ? result : result.getAsJsonObject("base");
      try (Submission again =
          Submission.of(this.directory, "evaluate", "--predictions", predictions.toString())
              .run(LIMIT)) {
        for (String score : List.of("rouge-1", "rouge-2", "rouge-l", "bleu-4")) {
          assertThat(again.result().get(score)).as(score).isEqualTo(scores.get(score));
          assertThat(scores.get(score).getAsDouble()).as(score).isPositive();
        }
      }
    }
    assertThat(result.get("rouge-l")).isNotEqualTo(result.getAsJsonObject("base").get("rouge-l"));
  }

  private Submission.Builder model(Submission.Builder builder, Path sample) {
    return builder
        .set("model.path", sample.resolve("tiny-chatglm"))
        .set("prefix.length", 16)
        .set("data.prompt-column", "content")
        .set("data.response-column", "summary")
        .set("ranks.count", 2)
        .set("ranks.cores", 1)
        .cache(directory.resolve("cache"));
  }

  @Test
  void aMalformedLineIsNamed() throws Exception {
    Path file = Files.writeString(directory.resolve("bad.txt"), "{\"labels\": \"裙\"}\n");
    try (Submission submission =
        Submission.of(directory, "evaluate")
            .arguments("--predictions", file.toString())
            .run(LIMIT)) {
      assertThat(submission.await(LIMIT)).isEqualTo(ExitCode.DAMAGED.number());
      assertThat(submission.err())
          .contains("Cannot read " + file + ", line 1: it has no predict")
          .doesNotContain("\tat ");
    }
  }
}
