package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose ranks take the weights in different ways. */
class PlacementIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir Path directory;

  private double finalLoss(String weights) throws Exception {
    Path rows =
        GoldenRows.write(
            Checkout.goldenSmall(),
            IntStream.range(0, GoldenRows.ROWS).boxed().toList(),
            directory.resolve("rows.jsonl"));
    Path cache = directory.resolve("cache");
    Leftovers leftovers = Leftovers.watch(cache);
    Submission.Builder train =
        Submission.of(directory, "train")
            .set("run.directory", directory.resolve("run-" + weights))
            .set("model.path", Checkout.goldenSmall().resolve("model"))
            .set("prefix.length", 8)
            .set("data.train", rows)
            .set("training.max-steps", 4)
            .set("training.global-batch", 4)
            .set("ranks.count", 2)
            .set("ranks.cores", 1)
            .set("memory.weights", weights)
            .cache(cache);
    try (Submission submission = train.run(LIMIT)) {
      assertThat(submission.result().get("status").getAsString())
          .as(submission.err())
          .isEqualTo("finished");
      leftovers.assertNone();
      return submission.result().get("final_loss").getAsDouble();
    }
  }

  @Test
  void ranksThatShareACopyTrainAsThoseThatMapTheFile() throws Exception {
    Path locks = directory.resolve("cache/weights/copies.lock");
    double mapped = finalLoss("shared");
    assertThat(locks).doesNotExist();
    assertThat(finalLoss("per-cluster")).isEqualTo(mapped);
    assertThat(locks).as("where ranks find each other's copy").exists();
    assertThat(Files.size(locks)).isZero();
  }
}
