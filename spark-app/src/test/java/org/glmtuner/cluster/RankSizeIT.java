package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.IntStream;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs on clusters that nobody has told how large their ranks are. */
class RankSizeIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir Path directory;
  private Path rows;

  @BeforeEach
  void writeRows() throws Exception {
    rows =
        GoldenRows.write(
            Checkout.goldenSmall(),
            IntStream.range(0, GoldenRows.ROWS).boxed().toList(),
            directory.resolve("rows.jsonl"));
  }

  private Submission.Builder train(String master) {
    return Submission.of(directory, "train")
        .arguments("--master", master)
        .set("run.directory", directory.resolve("run"))
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("prefix.length", 8)
        .set("data.train", rows)
        .set("training.max-steps", 2)
        .set("training.global-batch", 4)
        .cache(directory.resolve("cache"));
  }

  @Test
  void ranksShareTheCoresOfAnExecutorWhereThereAreMoreOfThemThanClusters() throws Exception {
    int cpus = Runtime.getRuntime().availableProcessors();
    assumeTrue(cpus >= 2, "there is one CPU, and two ranks need one each");
    try (Submission submission =
        train("local-cluster[1," + cpus + ",1024]").set("ranks.count", 2).run(LIMIT)) {
      assertThat(submission.result().get("status").getAsString())
          .as(submission.err())
          .isEqualTo("finished");
      assertThat(submission.result().get("world_size").getAsInt()).isEqualTo(2);
    }
  }

  @Test
  void tasksLargerThanACpuClusterAreRefusedWithTheSizeToSet() throws Exception {
    int cpus = Runtime.getRuntime().availableProcessors();
    try (Submission submission =
        train("local-cluster[1," + 2 * cpus + ",1024]")
            .arguments("--conf", "spark.task.cpus=" + 2 * cpus)
            .start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.UNSUITABLE.number());
      assertThat(submission.result().get("error").getAsString())
          .startsWith("Cannot start ranks: spark.task.cpus=" + 2 * cpus + ", but a rank can have ")
          .containsPattern(": set spark\\.task\\.cpus=\\d+$");
    }
  }
}
