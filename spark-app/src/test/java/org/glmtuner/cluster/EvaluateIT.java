package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
