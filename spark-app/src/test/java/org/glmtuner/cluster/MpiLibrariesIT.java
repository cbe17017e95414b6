package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole runs of two ranks with every MPI library that is installed. */
class MpiLibrariesIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int STEPS = 40;

  /** So many that a run is not done before its rank is killed. */
  private static final int ENDLESS = 100_000;

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir static Path shared;
  private static Path rows;
  private static Run expected;

  @TempDir Path directory;
  private Leftovers leftovers;

  /** What a run left: the loss of every step, and the last checkpoint's checksum. */
  private record Run(List<Double> losses, String checksum, String backend) {}

  @BeforeAll
  static void trainWithTheBundledLibrary() throws Exception {
    rows =
        GoldenRows.write(
            Checkout.goldenSmall(),
            IntStream.range(0, 24).boxed().toList(),
            shared.resolve("rows.jsonl"));
    expected = run(shared, InstalledMpi.BUNDLED.library());
  }

  @BeforeEach
  void watch() throws IOException {
    leftovers = Leftovers.watch(cache);
  }

  private static Submission.Builder train(Path directory, String library, int steps) {
    return Submission.of(directory, "train")
        .set("run.directory", directory.resolve("run"))
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("model.precision", "fp32")
        .set("prefix.length", 8)
        .set("data.train", rows)
        .set("training.max-steps", steps)
        .set("training.global-batch", 4)
        .set("training.log-every", 1)
        .set("training.checkpoint-every", STEPS)
        .set("ranks.count", 2)
        .set("ranks.cores", 1)
        .set("mpi.library", library)
        .cache(cache);
  }

  private static Run run(Path directory, String library) throws Exception {
    try (Submission submission = train(directory, library, STEPS).run(LIMIT)) {
      JsonObject result = submission.result();
      assertThat(result.get("status").getAsString()).as(submission.err()).isEqualTo("finished");
      List<Double> losses =
          Files.readAllLines(directory.resolve("run/metrics.jsonl")).stream()
              .map(line -> JsonParser.parseString(line).getAsJsonObject().get("loss").getAsDouble())
              .toList();
      assertThat(losses).hasSize(STEPS);
      return new Run(losses, checksum(directory), result.get("backend").getAsString());
    }
  }

  private static String checksum(Path directory) throws IOException {
    return RunCheckpoints.of(directory.resolve("run")).newest().orElseThrow().manifest().checksum();
  }

  @ParameterizedTest
  @EnumSource
  void aRunIsTheSameToTheLastBitAndLeavesNothing(InstalledMpi mpi) throws Exception {
    assertSame(run(directory, mpi.library()), mpi.version());
  }

  private void assertSame(Run run, String version) throws IOException {
    assertThat(run.backend()).startsWith("mpi (" + version);
    assertThat(run.losses()).isEqualTo(expected.losses());
    assertThat(run.checksum()).isEqualTo(expected.checksum());
    leftovers.assertNone();
  }

  @Test
  void theHostsOwnMpichIsFoundByItsName() throws Exception {
    assertThat(InstalledMpi.DEBIAN_MPICH.library()).isNotEmpty(); // or skips
    Run run = run(directory, "mpich");
    assertSame(run, InstalledMpi.DEBIAN_MPICH.version());
    assertThat(run.backend()).isNotEqualTo(expected.backend());
  }

  @Test
  void intelMpiIsFoundByItsName() throws Exception {
    assertThat(InstalledMpi.INTEL_2021_19_0.library()).isNotEmpty(); // or skips
    assertSame(run(directory, "intel"), InstalledMpi.INTEL_2021_19_0.version());
  }

  @ParameterizedTest
  @CsvSource({
    "old_mpich, MPICH Version: 3.1.4 implements MPI 3.0",
    "half_mpich, it has no function MPI_Init_thread",
  })
  void aLibraryThatRanksCannotUseEndsTheRunBeforeARankStarts(String name, String reason)
      throws Exception {
    Path library = Checkout.fakeMpi(name);
    try (Submission submission = train(directory, library.toString(), STEPS).start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.UNSUITABLE.number());
      String sentence = "Cannot use the MPI library " + library + ": " + reason;
      assertThat(submission.err()).contains(sentence).doesNotContain("rank process", "\tat ");
      assertThat(submission.result().get("error").getAsString()).contains(sentence);
      leftovers.assertNone();
    }
  }

  private static void signal(ProcessHandle process, String signal) throws Exception {
    String pid = Long.toString(process.pid());
    assertThat(new ProcessBuilder("kill", "-" + signal, pid).start().waitFor()).isZero();
  }

  /** In local mode it is the driver, and the tasks of all ranks too. */
  @ParameterizedTest
  @EnumSource
  void aKilledDriverTakesAllRanksWithItAndLeavesNothing(InstalledMpi mpi) throws Exception {
    try (Submission submission = train(directory, mpi.library(), ENDLESS).start()) {
      RunCheckpoints.awaitFirst(submission, directory.resolve("run"), LIMIT);
      assertThat(leftovers.ranks()).hasSize(2);
      signal(submission.driver(), "KILL");
      leftovers.assertNone(Duration.ofSeconds(5));
    }
  }

  /** Of a rank that trains, and how the run ends that it belonged to. */
  private String runWhoseRankGets(String signal, InstalledMpi mpi) throws Exception {
    try (Submission submission = train(directory, mpi.library(), ENDLESS).start()) {
      RunCheckpoints.awaitFirst(submission, directory.resolve("run"), LIMIT);
      signal(leftovers.ranks().get(0), signal);
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.TRAINING_FAILED.number());
      leftovers.assertNone(Duration.ofSeconds(5));
      return submission.err();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aKilledRankLeavesNothing(InstalledMpi mpi) throws Exception {
    assertThat(runWhoseRankGets("KILL", mpi)).contains("was killed by signal 9");
  }

  @ParameterizedTest
  @EnumSource
  void segmentationFaultsStayTheJvmsToHandle(InstalledMpi mpi) throws Exception {
    assertThat(runWhoseRankGets("SEGV", mpi))
        .contains(
            "A fatal error has been detected by the Java Runtime Environment",
            "was killed by signal 6")
        .doesNotContain("Caught signal 11");
  }
}
