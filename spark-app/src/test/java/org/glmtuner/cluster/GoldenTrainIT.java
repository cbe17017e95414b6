package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.reference.GoldenTable;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs of {@code train} against the official trainer's: 20 steps of 4 rows in its order. */
class GoldenTrainIT {
  private static final Path GOLDEN = Checkout.goldenSmall();
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int STEPS = 20;
  private static final int GLOBAL_BATCH = 4;

  @TempDir Path directory;

  /** What a run came to. */
  private record Run(JsonObject result, List<JsonObject> metrics, float[] prefix) {
    double loss(int step) {
      return metrics.get(step).get("loss").getAsDouble();
    }
  }

  private Run train(String golden, int ranks, String precision, double clipNorm) throws Exception {
    return train(golden, ranks, precision, clipNorm, 0);
  }

  private Path runDirectory(String golden, int ranks, String precision) {
    return directory.resolve(golden + "-" + ranks + "-" + precision);
  }

  private Run train(String golden, int ranks, String precision, double clipNorm, double dropout)
      throws Exception {
    Path run = runDirectory(golden, ranks, precision);
    Path rows =
        GoldenRows.write(
            GOLDEN, GoldenRows.order(GOLDEN, golden), directory.resolve(golden + ".jsonl"));
    Leftovers leftovers = Leftovers.watch(directory.resolve("cache"));
    try (Submission submission =
        Submission.of(directory, "train")
            .set("run.directory", run)
            .set("model.path", GOLDEN.resolve("model"))
            .set("model.precision", precision)
            .set("prefix.length", 8)
            .set("prefix.init-from", GOLDEN.resolve("prefix-init/p8"))
            .set("data.train", rows)
            .set("data.shuffle", false)
            .set("training.max-steps", STEPS)
            .set("training.global-batch", GLOBAL_BATCH)
            .set("training.prefix-dropout", dropout)
            .set("training.clip-norm", clipNorm)
            .set("training.log-every", 1)
            .set("ranks.count", ranks)
            .set("ranks.cores", 1)
            .set("cache.directory", directory.resolve("cache"))
            .run(LIMIT)) {
      JsonObject result = submission.result();
      assertThat(result.get("status").getAsString()).as(submission.err()).isEqualTo("finished");
      leftovers.assertNone();
      List<JsonObject> metrics =
          Files.readAllLines(run.resolve("metrics.jsonl")).stream()
              .map(line -> JsonParser.parseString(line).getAsJsonObject())
              .toList();
      assertThat(metrics).hasSize(STEPS);
      return new Run(
          result, metrics, values(run.resolve("checkpoint-" + STEPS), "prefix.safetensors"));
    }
  }

  private static float[] values(Path folder, String file) throws IOException {
    try (TensorFile tensors = TensorFile.open(new LocalFolder(folder), file)) {
      TensorSpec embedding = tensors.tensors().iterator().next();
      return tensors.readFloats(embedding.name());
    }
  }

  /** A quantity of every step of the official run. */
  private static double[] logged(String golden, String quantity) throws IOException {
    return GoldenRows.trajectory(GOLDEN, golden).getAsJsonArray("log").asList().stream()
        .mapToDouble(step -> step.getAsJsonObject().get(quantity).getAsDouble())
        .toArray();
  }

  private static void checkLosses(String golden, Run run, String label, double tolerance)
      throws IOException {
    double[] losses = logged(golden, "loss");
    for (int step : List.of(0, 1, 9, STEPS - 1)) {
      GoldenTable.check(
          "small/" + golden + label,
          "loss of step " + (step + 1),
          losses[step],
          run.loss(step),
          tolerance);
    }
    for (int step = 0; step < STEPS; step++) {
      assertThat(run.loss(step))
          .as("loss of step %d", step + 1)
          .isCloseTo(losses[step], within(tolerance));
    }
  }

  private void matchesOnOneAndTwoRanks(String golden, double clipNorm) throws Exception {
    Run one = train(golden, 1, "fp32", clipNorm);
    Run two = train(golden, 2, "fp32", clipNorm);
    assertThat(two.result().get("world_size").getAsInt()).isEqualTo(2);
    checkLosses(golden, one, ", 1 rank", 2e-5);
    checkLosses(golden, two, ", 2 ranks", 2e-5);
    double[] norms = logged(golden, "grad_norm_before_clip");
    float[] prefix = values(GOLDEN.resolve(golden), "prefix_final.safetensors");
    for (Run run : List.of(one, two)) {
      for (int step = 0; step < STEPS; step++) {
        double norm = norms[step];
        assertThat(run.metrics().get(step).get("grad_norm").getAsDouble())
            .as("gradient norm of step %d", step + 1)
            .isCloseTo(norm, within(1e-4 * norm));
        assertThat(run.loss(step)).isCloseTo(one.loss(step), within(1e-6 * one.loss(step)));
      }
      int apart = 0;
      for (int i = 0; i < prefix.length; i++) {
        assertThat(run.prefix()[i]).isCloseTo(prefix[i], within(1e-3f));
        apart += Math.abs(run.prefix()[i] - prefix[i]) > 1e-5 ? 1 : 0;
      }
      assertThat(apart).as("entries more than 1e-5 apart").isLessThan(prefix.length / 10);
    }
  }

  @Test
  void aRunIsTheOfficialOneOnOneRankAndOnTwo() throws Exception {
    matchesOnOneAndTwoRanks("train-p8", 1.0);
  }

  @Test
  void scoreGivesTheOfficialLossesWithTheTrainedPrefix() throws Exception {
    train("train-p8", 2, "fp32", 1.0);
    Path rows = directory.resolve("rows.jsonl");
    GoldenRows.write(GOLDEN, IntStream.range(0, GoldenRows.ROWS).boxed().toList(), rows);
    JsonArray expected = GoldenRows.trajectory(GOLDEN, "train-p8").getAsJsonArray("row_loss_after");
    try (Submission score =
        Submission.of(directory, "score", "--checkpoint", "latest", "--compare-base")
            .set("run.directory", runDirectory("train-p8", 2, "fp32"))
            .set("model.path", GOLDEN.resolve("model"))
            .set("model.precision", "fp32")
            .set("prefix.length", 8)
            .set("data.validation", rows)
            .set("ranks.count", 2)
            .set("ranks.cores", 1)
            .set("cache.directory", directory.resolve("cache"))
            .run(LIMIT)) {
      assertThat(score.result().get("rows").getAsInt()).as(score.err()).isEqualTo(GoldenRows.ROWS);
      double sum = 0;
      for (int row = 0; row < GoldenRows.ROWS; row++) {
        JsonObject line = JsonParser.parseString(score.outLines().get(row)).getAsJsonObject();
        double loss = line.get("loss").getAsDouble();
        sum += loss;
        assertThat(line.get("id").getAsInt()).isEqualTo(row);
        assertThat(loss).isCloseTo(expected.get(row).getAsDouble(), within(1e-4));
      }
      assertThat(score.result().get("loss").getAsDouble())
          .isCloseTo(sum / GoldenRows.ROWS, within(1e-9))
          .isLessThan(score.result().get("base_loss").getAsDouble());
    }
  }

  @Test
  void prefixDropoutIsTheSameOnOneRankAndOnTwo() throws Exception {
    Run one = train("train-p8", 1, "fp32", 1.0, 0.1);
    Run two = train("train-p8", 2, "fp32", 1.0, 0.1);
    for (int step = 0; step < STEPS; step++) {
      assertThat(two.loss(step)).isCloseTo(one.loss(step), within(1e-6 * one.loss(step)));
    }
  }

  @Test
  void aRunWhoseGradientIsClippedIsTheOfficialOneOnOneRankAndOnTwo() throws Exception {
    matchesOnOneAndTwoRanks("train-p8-clipped", 0.1);
  }

  @Test
  void aRunInBf16StaysNearTheOfficialOne() throws Exception {
    checkLosses("train-p8", train("train-p8", 2, "bf16", 1.0), ", 2 ranks, BF16", 5e-2);
  }
}
