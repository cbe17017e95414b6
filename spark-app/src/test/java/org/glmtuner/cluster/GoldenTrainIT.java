package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.glmtuner.cluster.GoldenTraining.STEPS;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.cluster.GoldenTraining.Run;
import org.glmtuner.reference.GoldenTable;
import org.glmtuner.storage.PrivateDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs of {@code train} against the official trainer's: 20 steps of 4 rows in its order. */
class GoldenTrainIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int GLOBAL_BATCH = 4;

  /** Steps of a projected run in BF16 that are near the official one. */
  private static final int PROJECTED_BF16_STEPS = 5;

  @TempDir static Path cache; // unpacking libraries takes long

  @TempDir Path directory;

  private Submission.Builder command(
      GoldenTraining golden, Path run, int ranks, String precision, String... command) {
    return Submission.of(directory, command)
        .set("run.directory", run)
        .set("model.path", golden.model().model())
        .set("model.precision", precision)
        .set("ranks.count", ranks)
        .set("ranks.cores", 1)
        .cache(cache);
  }

  private Run train(GoldenTraining golden, int ranks, String precision, double dropout)
      throws Exception {
    Path run = directory.resolve(String.join("-", golden.name(), "" + ranks, precision));
    return train(golden, run, ranks, precision, dropout);
  }

  /** A run of one rank keeps the checkpoint of every step. */
  private Run train(GoldenTraining golden, Path run, int ranks, String precision, double dropout)
      throws Exception {
    Path rows =
        GoldenRows.write(
            golden.model().directory(),
            GoldenRows.order(golden.model().directory(), golden.name()),
            directory.resolve(golden.name() + ".jsonl"));
    Leftovers leftovers = Leftovers.watch(cache);
    try (Submission submission =
        command(golden, run, ranks, precision, "train")
            .set("prefix.length", 8)
            .set("prefix.projection", golden.projection())
            .set(
                "prefix.init-from",
                golden.model() == GoldenModel.SMALL
                    ? golden.initialPrefix()
                    : golden.initialPrefix().resolve("prefix.safetensors"))
            .set("data.train", rows)
            .set("data.shuffle", false)
            .set("training.max-steps", STEPS)
            .set("training.global-batch", GLOBAL_BATCH)
            .set("training.prefix-dropout", dropout)
            .set("training.clip-norm", golden.clipNorm())
            .set("training.log-every", 1)
            .set("training.checkpoint-every", ranks == 1 ? 1 : STEPS)
            .set("training.keep-checkpoints", 0)
            .run(LIMIT)) {
      JsonObject result = submission.result();
      assertThat(result.get("status").getAsString()).as(submission.err()).isEqualTo("finished");
      assertThat(result.get("world_size").getAsInt()).isEqualTo(ranks);
      leftovers.assertNone();
      List<JsonObject> metrics =
          Files.readAllLines(run.resolve("metrics.jsonl")).stream()
              .map(line -> JsonParser.parseString(line).getAsJsonObject())
              .toList();
      assertThat(metrics).hasSize(STEPS);
      return new Run(run, metrics);
    }
  }

  private static void assertSameLosses(Run run, Run other, double relative) {
    for (int step = 0; step < STEPS; step++) {
      double loss = other.logged("loss")[step];
      assertThat(run.logged("loss")[step])
          .as("loss of step %d", step + 1)
          .isCloseTo(loss, within(relative * loss));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SMALL, train-p8",
    "SMALL, train-p8-clipped",
    "SMALL, train-p8-proj",
    "VOCAB, train-p8",
    "VOCAB, train-p8-clipped",
    "VOCAB, train-p8-proj"
  })
  void aRunIsTheOfficialOneOnOneRankAndOnTwo(GoldenModel model, String name) throws Exception {
    GoldenTraining golden = GoldenTraining.of(model, name);
    Run one = train(golden, 1, "fp32", 0);
    Run two = train(golden, 2, "fp32", 0);
    check(golden, one, ", 1 rank");
    check(golden, two, ", 2 ranks");
    golden.checkFirstStep(one, ", 1 rank");
    assertSameLosses(two, one, golden.projection() ? 1e-5 : 1e-6);
    checkScores(golden, two);
  }

  private static void check(GoldenTraining golden, Run run, String label) throws IOException {
    golden.checkLosses(run, label, STEPS, golden.lossTolerance());
    golden.checkNorms(run, label);
    golden.checkLastStep(run, label);
  }

  /** The losses of all rows with the trained prefix, whose form score finds in its file. */
  private void checkScores(GoldenTraining golden, Run run) throws Exception {
    Path rows = directory.resolve("rows.jsonl");
    GoldenRows.write(
        golden.model().directory(), IntStream.range(0, GoldenRows.ROWS).boxed().toList(), rows);
    List<String> command = new ArrayList<>(List.of("score", "--checkpoint", "latest"));
    boolean compare = golden.name().equals("train-p8");
    if (compare) {
      command.add("--compare-base");
    }
    try (Submission score =
        command(golden, run.directory(), compare ? 2 : 1, "fp32", command.toArray(String[]::new))
            .set("data.validation", rows)
            .run(LIMIT)) {
      assertThat(score.result().get("rows").getAsInt()).as(score.err()).isEqualTo(GoldenRows.ROWS);
      double[] losses = new double[GoldenRows.ROWS];
      for (int row = 0; row < losses.length; row++) {
        JsonObject line = JsonParser.parseString(score.outLines().get(row)).getAsJsonObject();
        assertThat(line.get("id").getAsInt()).isEqualTo(row);
        losses[row] = line.get("loss").getAsDouble();
      }
      double[] expected = golden.rowLossAfter();
      double furthest =
          IntStream.range(0, losses.length)
              .mapToDouble(i -> Math.abs(losses[i] - expected[i]))
              .reduce(0, Math::max);
      GoldenTable.checkDistance(
          golden + ", score",
          "loss of the furthest row afterwards",
          furthest,
          golden.rowLossTolerance());
      double mean = score.result().get("loss").getAsDouble();
      assertThat(mean)
          .isCloseTo(
              IntStream.range(0, losses.length).mapToDouble(i -> losses[i]).average().orElseThrow(),
              within(1e-9));
      if (compare) {
        assertThat(mean).isLessThan(score.result().get("base_loss").getAsDouble());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SMALL, train-p8", "SMALL, train-p8-proj",
    "VOCAB, train-p8", "VOCAB, train-p8-proj"
  })
  void aRunInBf16StaysNearTheOfficialOne(GoldenModel model, String name) throws Exception {
    GoldenTraining golden = GoldenTraining.of(model, name);
    Run run = train(golden, 2, "bf16", 0);
    if (golden.projection()) {
      golden.checkLosses(run, ", 2 ranks, BF16", PROJECTED_BF16_STEPS, 4e-2);
    } else {
      golden.checkLosses(run, ", 2 ranks, BF16", STEPS, 5e-2);
    }
  }

  @Test
  void prefixDropoutIsTheSameOnOneRankAndOnTwoAndAfterAResumption() throws Exception {
    GoldenTraining golden = GoldenTraining.of(GoldenModel.SMALL, "train-p8-proj");
    Run one = train(golden, 1, "fp32", 0.1);
    Path cut = directory.resolve("cut");
    Files.move(one.directory(), cut);
    for (int step = STEPS / 2 + 1; step <= STEPS; step++) {
      PrivateDirectory.deleteTree(cut.resolve("checkpoint-" + step));
    }
    Files.delete(cut.resolve("result.json"));
    Run resumed = train(golden, cut, 2, "fp32", 0.1);
    assertSameLosses(resumed, one, 1e-5);
  }
}
