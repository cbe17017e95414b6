package org.glmtuner.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.SharedData;
import org.glmtuner.driver.Cancellation;
import org.glmtuner.evaluation.Prediction;
import org.glmtuner.evaluation.PredictionFile;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {
  @TempDir Path directory;

  /** What a command ended with: its exit code and the last line of standard output. */
  private record End(int code, JsonObject line) {}

  private static End run(String... arguments) {
    PrintStream standardOutput = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int code;
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      code = Main.execute(arguments, Cancellation.none());
    } finally {
      System.setOut(standardOutput);
    }
    List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
    return new End(code, JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject());
  }

  private Path write(Prediction... predictions) throws Exception {
    return Files.write(
        directory.resolve("predictions.txt"),
        List.of(predictions).stream().map(PredictionFile::line).toList());
  }

  private static void assertFails(End end, ExitCode code, String sentence) {
    assertThat(end.code()).isEqualTo(code.number());
    assertThat(end.line().get("status").getAsString()).isEqualTo("failed");
    assertThat(end.line().get("error").getAsString()).isEqualTo(sentence);
  }

  @Test
  void aFileIsScoredWithoutASession() throws Exception {
    Path file = write(new Prediction("红色裙子", "红色裙子"), new Prediction("红色裙子", ""));
    End end = run("evaluate", "--predictions", file.toString());
    assertThat(end.code()).isZero();
    assertThat(end.line())
        .hasToString(
            "{\"status\":\"finished\",\"rouge-1\":50.0,\"rouge-2\":50.0,\"rouge-l\":50.0,\"bleu-4\":50.0,"
                + "\"samples\":2,\"empty_predictions\":1,\"empty_labels\":0}");
    assertThat(SparkSession.getDefaultSession().isEmpty()).as("no Spark session").isTrue();
  }

  @Test
  void resultsGoToTheOutputDirectoryAsWell() throws Exception {
    Path file = write(new Prediction("红色裙子", "红色裙子"));
    Path output = directory.resolve("new/output");
    End end = run("evaluate", "--predictions", "file:" + file, "--output", output.toString());
    assertThat(end.code()).isZero();
    assertThat(end.line().get("output").getAsString()).isEqualTo(output.toString());
    JsonObject results =
        JsonParser.parseString(Files.readString(output.resolve("predict_results.json")))
            .getAsJsonObject();
    assertThat(results.get("predict_bleu-4").getAsDouble()).isEqualTo(100);
    assertThat(results.get("predict_samples").getAsInt()).isEqualTo(1);
  }

  @Test
  void theOfficialMeansComeOutOfTheGoldenPairs() throws Exception {
    JsonObject golden =
        JsonParser.parseString(
                Files.readString(SharedData.require("data/golden/text/metrics.json")))
            .getAsJsonObject();
    Path file =
        write(
            golden.getAsJsonArray("pairs").asList().stream()
                .map(pair -> pair.getAsJsonObject())
                .map(
                    pair ->
                        new Prediction(
                            pair.get("reference").getAsString(),
                            pair.get("prediction").getAsString()))
                .toArray(Prediction[]::new));
    End end = run("evaluate", "--predictions", file.toString());
    JsonObject expected = golden.getAsJsonObject("mean_with_raising_pairs_counted_as_zero");
    for (String key : List.of("rouge-1", "rouge-2", "rouge-l", "bleu-4")) {
      assertThat(end.line().get(key).getAsDouble())
          .isCloseTo(expected.get(key).getAsDouble(), within(1e-9));
    }
    assertThat(end.line().get("empty_predictions").getAsInt()).isEqualTo(4);
  }

  @Test
  void aMalformedLineEndsIt() throws Exception {
    Path file = Files.writeString(directory.resolve("bad.txt"), "{\"labels\": \"裙\"}\n");
    assertFails(
        run("evaluate", "--predictions", file.toString()),
        ExitCode.DAMAGED,
        "Cannot read " + file + ", line 1: it has no predict");
  }

  @Test
  void anEmptyFileHasNoScores() throws Exception {
    Path file = Files.writeString(directory.resolve("empty.txt"), "\n");
    assertFails(
        run("evaluate", "--predictions", file.toString()),
        ExitCode.DAMAGED,
        "Cannot read " + file + ": it has no predictions");
  }

  @Test
  void aMissingFileIsNamed() {
    assertFails(
        run("evaluate", "--predictions", directory + "/nowhere"),
        ExitCode.INVALID,
        "Cannot read " + directory + "/nowhere: there is no such file");
    assertFails(
        run("evaluate", "--predictions", "nowhere:/file"),
        ExitCode.INVALID,
        "Cannot read nowhere:/file: No FileSystem for scheme \"nowhere\"");
    assertFails(
        run("evaluate", "--predictions", directory.toString()),
        ExitCode.INVALID,
        "Cannot read " + directory + ": it is a directory");
  }
}
