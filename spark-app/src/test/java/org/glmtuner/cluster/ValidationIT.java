package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Measuring on validation rows while training: the best checkpoint stays, and enough is enough. */
class ValidationIT {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final int EVERY = 5;
  private static final int PATIENCE = 2;

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;
  private Path rows;
  private Path heldOut;

  @BeforeEach
  void writeRows() throws IOException {
    rows = write("rows.jsonl", 0, 8);
    heldOut = write("held-out.jsonl", 8, GoldenRows.ROWS);
  }

  private Path write(String name, int from, int to) throws IOException {
    return GoldenRows.write(
        Checkout.goldenSmall(),
        IntStream.range(from, to).boxed().toList(),
        directory.resolve(name));
  }

  private Submission.Builder submission(Path run, int ranks, String... command) {
    return Submission.of(directory, command)
        .set("run.directory", run)
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("model.precision", "fp32")
        .set("prefix.length", 8)
        .set("data.train", rows)
        .set("data.validation", heldOut)
        .set("training.max-steps", 400)
        .set("training.global-batch", 4)
        .set("training.learning-rate", 0.5)
        .set("training.eval-every", EVERY)
        .set("training.early-stop-patience", PATIENCE)
        .set("training.keep-checkpoints", 1)
        .set("ranks.count", ranks)
        .set("ranks.cores", 1)
        .cache(cache);
  }

  private static List<JsonObject> evaluations(Path run) throws IOException {
    return evaluations(run, true);
  }

  /** The measurements with the prefix or without it, in the order of {@code metrics.jsonl}. */
  private static List<JsonObject> evaluations(Path run, boolean withPrefix) throws IOException {
    List<JsonObject> found = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonObject record = JsonParser.parseString(line).getAsJsonObject();
      if (record.has("with_prefix") && record.get("with_prefix").getAsBoolean() == withPrefix) {
        found.add(record);
      }
    }
    return found;
  }

  private static double loss(JsonObject evaluation) {
    return evaluation.get("eval_loss").getAsDouble();
  }

  @Test
  void aRunStopsWhereItNoLongerImprovesAndKeepsItsBestCheckpoint() throws Exception {
    Path run = directory.resolve("two");
    try (Submission submission = submission(run, 2, "train").run(LIMIT)) {
      JsonObject result = submission.result();
      assertThat(result.get("status").getAsString()).as(submission.err()).isEqualTo("finished");
      List<JsonObject> evaluations = evaluations(run);
      int stopped = result.get("steps").getAsInt();
      assertThat(stopped).isEqualTo(evaluations.size() * EVERY).isLessThan(400);
      JsonObject best = evaluations.get(evaluations.size() - 1 - PATIENCE);
      assertThat(evaluations)
          .allSatisfy(e -> assertThat(loss(e)).isGreaterThanOrEqualTo(loss(best)));
      String name = "checkpoint-" + best.get("step").getAsInt();
      assertThat(run.resolve("best")).hasContent(name);
      assertThat(result.get("best_checkpoint").getAsString()).endsWith("/" + name);
      assertThat(result.get("best_eval_loss").getAsDouble()).isEqualTo(loss(best));
      assertThat(run.resolve(name)).isDirectory();
      assertThat(run.resolve("checkpoint-" + stopped)).isDirectory();
      assertThat(submission.err())
          .contains("stopping after " + stopped + " of 400 steps: 2 measurements");
      scoresAs(run, loss(best));
    }
    theEndSurvivesTheLossOfTheResult(run);
    Path one = directory.resolve("one");
    try (Submission submission = submission(one, 1, "train").run(LIMIT)) {
      assertThat(submission.result().get("status").getAsString())
          .as(submission.err())
          .isEqualTo("finished");
      // of the untrained base and after the first steps: later, Adam at this rate makes much of
      // another order of sums
      for (boolean withPrefix : List.of(false, true)) {
        double expected = loss(evaluations(run, withPrefix).get(0));
        assertThat(loss(evaluations(one, withPrefix).get(0)))
            .isCloseTo(expected, within(1e-5 * expected));
      }
    }
  }

  private void scoresAs(Path run, double loss) throws Exception {
    try (Submission score = submission(run, 1, "score", "--checkpoint", "best").run(LIMIT)) {
      assertThat(score.result().get("loss").getAsDouble())
          .as(score.err())
          .isCloseTo(loss, within(1e-5 * loss));
    }
  }

  private void theEndSurvivesTheLossOfTheResult(Path run) throws Exception {
    Files.delete(run.resolve("result.json"));
    int measured = evaluations(run).size();
    try (Submission again = submission(run, 2, "train").run(LIMIT)) {
      assertThat(again.result().get("status").getAsString()).as(again.err()).isEqualTo("finished");
      assertThat(again.err()).contains("the run ended with checkpoint-" + measured * EVERY);
      assertThat(evaluations(run)).hasSize(measured);
    }
  }
}
