package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.glmtuner.ResidentMemory;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.metrics.StepRecord;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.RankMemory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes are killed while they train; nothing may stay behind, nothing that was published
 * may be lost.
 */
class FaultIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final int STEPS = 1500;

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;
  private Path run;
  private Path rows;
  private Leftovers leftovers;

  @BeforeEach
  void prepare() throws IOException {
    run = directory.resolve("run");
    rows =
        GoldenRows.write(
            Checkout.goldenSmall(),
            IntStream.range(0, 24).boxed().toList(),
            directory.resolve("rows.jsonl"));
    leftovers = Leftovers.watch(cache);
  }

  private Submission.Builder train(Path runDirectory) {
    return Submission.of(directory, "train")
        .set("run.directory", runDirectory)
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("model.precision", "fp32")
        .set("prefix.length", 8)
        .set("data.train", rows)
        .set("training.max-steps", STEPS)
        .set("training.global-batch", 4)
        .set("training.checkpoint-every", 50)
        .set("ranks.count", 2)
        .set("ranks.cores", 1)
        .set("ranks.heartbeat-timeout", "8s")
        .cache(cache);
  }

  private static boolean loadsLibtorch(ProcessHandle process) {
    try {
      return Files.readString(
              Path.of("/proc/" + process.pid() + "/maps"), StandardCharsets.ISO_8859_1)
          .contains("libtorch_cpu");
    } catch (IOException e) {
      return false; // it has just ended
    }
  }

  private static void signal(ProcessHandle process, String signal)
      throws IOException, InterruptedException {
    assertThat(
            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                .start()
                .waitFor())
        .isZero();
  }

  /** Of a model as small as this it is what any rank has. */
  private static void checkMemory(List<ProcessHandle> ranks) throws IOException {
    Path json = Checkout.goldenSmall().resolve("model").resolve(ChatGlmConfig.FILE);
    ChatGlmConfig config = ChatGlmConfig.parse(Files.readAllBytes(json), json.toString());
    long predicted =
        RankMemory.of(config, new ChatGlmConfig.Prefix(8, false), Precision.FP32, 1)
            .privateBytes(200, 4);
    assertThat(ranks).hasSize(2);
    for (ProcessHandle rank : ranks) {
      assertThat(ResidentMemory.withoutWeights(Path.of("/proc/" + rank.pid())))
          .isCloseTo(predicted, Percentage.withPercentage(10));
    }
  }

  @Test
  void aKilledRankFailsTheAttemptByNameAndTheRunResumesToTheSameNumbers() throws Exception {
    try (Submission submission = train(run).start()) {
      RunCheckpoints.awaitFirst(submission, run, LIMIT);
      checkMemory(leftovers.ranks());
      ProcessHandle rank = leftovers.ranks().get(0);
      signal(rank, "KILL");
      long killed = System.nanoTime();
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.TRAINING_FAILED.number());
      assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(15));
      assertThat(submission.result().get("error").getAsString())
          .matches(
              "(?s)Cannot go on: rank [01] on \\S+ \\(process "
                  + rank.pid()
                  + "\\) was killed by signal 9.*");
      leftovers.assertNone();
    }
    long resumedFrom = RunCheckpoints.of(run).newest().orElseThrow().manifest().step();
    assertThat(resumedFrom).isBetween(50L, STEPS - 50L);
    try (Submission resumed = train(run).run(LIMIT);
        Submission whole = train(directory.resolve("whole")).run(LIMIT)) {
      assertThat(resumed.err()).contains("resuming from checkpoint-" + resumedFrom);
      JsonObject result = resumed.result();
      assertThat(result.get("status").getAsString()).isEqualTo("finished");
      assertThat(result.get("attempts").getAsInt()).isEqualTo(2);
      assertThat(result.get("final_loss")).isEqualTo(whole.result().get("final_loss"));
      assertThat(RunCheckpoints.of(run).newest().orElseThrow().manifest().checksum())
          .isEqualTo(
              RunCheckpoints.of(directory.resolve("whole"))
                  .newest()
                  .orElseThrow()
                  .manifest()
                  .checksum());
      List<Long> steps =
          Files.readAllLines(run.resolve("metrics.jsonl")).stream()
              .map(line -> StepRecord.stepOf(line))
              .toList();
      assertThat(steps).isSorted().doesNotHaveDuplicates().hasSize(STEPS / 10);
      leftovers.assertNone();
    }
  }

  @Test
  void aHungRankIsFoundAndKilled() throws Exception {
    try (Submission submission = train(run).start()) {
      RunCheckpoints.awaitFirst(submission, run, LIMIT);
      ProcessHandle rank = leftovers.ranks().get(1);
      signal(rank, "STOP");
      assertThat(submission.await(Duration.ofSeconds(30)))
          .as(submission.err())
          .isEqualTo(ExitCode.TRAINING_FAILED.number());
      assertThat(submission.result().get("error").getAsString())
          .matches(
              "Cannot go on: rank [01] on \\S+ \\(process "
                  + rank.pid()
                  + "\\) hangs: no sign of life for \\d+ s at step \\d+ .*");
      leftovers.assertNone();
    }
  }

  /** The names in /dev/shm by which ranks find each other last until all of them have. */
  @Test
  void ranksThatDieWhileTheGroupFormsLeaveNothingInSharedMemory() throws Exception {
    try (Submission submission = train(run).set("ranks.heartbeat-timeout", "60s").start()) {
      await()
          .atMost(LIMIT)
          .pollInterval(Duration.ofMillis(5))
          .until(
              () ->
                  leftovers.ranks().size() == 2
                      && leftovers.ranks().stream().allMatch(FaultIT::loadsLibtorch));
      List<ProcessHandle> ranks = leftovers.ranks();
      signal(ranks.get(1), "STOP"); // it is connected and has not joined yet
      await().atMost(LIMIT).until(() -> !leftovers.sharedMemory().isEmpty());
      signal(ranks.get(0), "KILL");
      signal(ranks.get(1), "CONT");
      assertThat(submission.await(Duration.ofSeconds(30)))
          .as(submission.err())
          .isEqualTo(ExitCode.TRAINING_FAILED.number());
      leftovers.assertNone(Duration.ofSeconds(5));
    }
  }

  @Test
  void aDamagedCheckpointIsPassedOverByNameAndNotReplacedByAFreshStart() throws Exception {
    try (Submission first =
        train(run)
            .set("training.max-steps", 30)
            .set("training.checkpoint-every", 10)
            .set("run.id", "first")
            .start()) {
      assertThat(first.await(LIMIT)).as(first.err()).isZero();
    }
    Files.delete(run.resolve("result.json"));
    Files.writeString(run.resolve("checkpoint-30/prefix.safetensors"), "cut");
    try (Submission second =
        train(run).set("training.max-steps", 30).set("training.checkpoint-every", 10).run(LIMIT)) {
      assertThat(second.err())
          .contains("checkpoint-30 is no complete checkpoint: its prefix.safetensors has 3 bytes")
          .contains("resuming from checkpoint-20");
      assertThat(second.result().get("steps").getAsInt()).isEqualTo(30);
    }
    Files.delete(run.resolve("result.json"));
    for (int step : new int[] {10, 20, 30}) {
      Files.delete(run.resolve("checkpoint-" + step + "/manifest.json"));
    }
    try (Submission third =
        train(run).set("training.max-steps", 30).set("training.checkpoint-every", 10).run(LIMIT)) {
      assertThat(third.result().get("exit_code").getAsInt()).isEqualTo(ExitCode.DAMAGED.number());
      assertThat(third.result().get("error").getAsString())
          .startsWith("Cannot resume file:")
          .contains("checkpoint-10 is no complete checkpoint: it has no manifest.json");
    }
  }

  @Test
  void waitingForExecutorsCanBeCancelled() throws Exception {
    try (Submission submission =
        train(run).arguments("--master", "local-cluster[1,1,1024]").start()) {
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  submission
                      .err()
                      .contains(
                          "waiting for executors: there are 1 executors with 1 slots of 1 cores"));
      signal(submission.driver(), "TERM");
      assertThat(submission.await(Duration.ofSeconds(10)))
          .as(submission.err())
          .isEqualTo(ExitCode.CANCELLED.number());
      assertThat(Files.readString(run.resolve("result.json"))).contains("\"status\":\"cancelled\"");
    }
  }

  @Test
  void cancellingLeavesARunThatCanBeResumed() throws Exception {
    try (Submission submission = train(run).start()) {
      RunCheckpoints.awaitFirst(submission, run, LIMIT);
      signal(submission.driver(), "TERM");
      leftovers.assertNone(Duration.ofSeconds(5));
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.CANCELLED.number());
      assertThat(submission.result().get("status").getAsString()).isEqualTo("cancelled");
      assertThat(Files.readString(run.resolve("result.json"))).contains("\"status\":\"cancelled\"");
    }
  }

  @Test
  void aKilledExecutorFailsTheAttempt() throws Exception {
    try (Submission submission =
        train(run).arguments("--master", "local-cluster[2,1,1024]").start()) {
      RunCheckpoints.awaitFirst(submission, run, LIMIT);
      signal(leftovers.ranks().get(0).parent().orElseThrow(), "KILL");
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.TRAINING_FAILED.number());
      leftovers.assertNone(Duration.ofSeconds(5));
      assertThat(submission.result().get("error").getAsString())
          .matches("Cannot train: executor [01] was lost with rank [01] on \\S+: .+");
      assertThat(RunCheckpoints.of(run).newest()).isPresent();
    }
  }

  @Test
  void aKilledDriverTakesAllRanksWithIt() throws Exception {
    try (Submission submission =
        train(run).arguments("--master", "local-cluster[2,1,1024]").start()) {
      RunCheckpoints.awaitFirst(submission, run, LIMIT);
      signal(submission.driver(), "KILL");
      leftovers.assertNone(Duration.ofSeconds(20));
      assertThat(RunCheckpoints.of(run).newest()).isPresent();
    }
  }
}
