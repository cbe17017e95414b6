package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.glmtuner.diagnosis.Finding;
import org.glmtuner.diagnosis.Verdict;
import org.glmtuner.executor.LocalRanks;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checks of clusters that are busy, larger than the run, or losing an executor. */
class DoctorClusterIT {
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final String TWO_EXECUTORS = "local-cluster[2,1,1024]";

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;
  private Leftovers leftovers;

  @BeforeEach
  void watch() throws IOException {
    leftovers = Leftovers.watch(cache);
  }

  private Submission.Builder doctor(String master) {
    return Submission.of(directory, "doctor", "--json", "--master", master)
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("prefix.length", 8)
        .set("ranks.cores", 1)
        .cache(cache);
  }

  private static List<Finding> findings(Submission submission) throws IOException {
    return submission.outLines().stream()
        .filter(line -> line.contains("\"check\""))
        .map(Finding::parse)
        .toList();
  }

  private static Stream<Finding> of(List<Finding> findings, String check) {
    return findings.stream().filter(finding -> finding.check().equals(check));
  }

  private static Stream<Finding> problems(List<Finding> findings) {
    return findings.stream().filter(finding -> finding.verdict() == Verdict.PROBLEM);
  }

  @Test
  void coresThatAnotherRunHasAreNoProblemAndSaidOnce() throws Exception {
    try (LocalRanks others = OtherRanks.open(cache, 2);
        Submission submission = doctor(TWO_EXECUTORS).set("ranks.count", 2).start()) {
      assertThat(others.cpus()).hasSize(Runtime.getRuntime().availableProcessors());
      assertThat(submission.await(LIMIT)).as(submission.err()).isZero();
      List<Finding> findings = findings(submission);
      assertThat(problems(findings)).isEmpty();
      assertThat(of(findings, "rank"))
          .hasSize(2)
          .allSatisfy(rank -> assertThat(rank.verdict()).isEqualTo(Verdict.WARNING))
          .allSatisfy(
              rank ->
                  assertThat(rank.found())
                      .contains("cores are in use by other ranks, waited 15 s (ranks.wait)"));
      assertThat(of(findings, "rank").map(Finding::where).distinct()).hasSize(2);
      assertThat(of(findings, "all-reduce"))
          .singleElement()
          .satisfies(sum -> assertThat(sum.verdict()).isEqualTo(Verdict.SKIPPED));
    }
    leftovers.assertNone();
  }

  @Test
  void executorsThatDoNotComeInTimeLeaveTheClusterUncheckedWhichIsNoProblemOfIts()
      throws Exception {
    try (Submission submission =
        doctor("local-cluster[1,1,1024]").set("ranks.count", 2).set("ranks.wait", "5s").start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.NO_FREE_SLOTS.number());
      List<Finding> findings = findings(submission);
      assertThat(problems(findings)).isEmpty();
      assertThat(of(findings, "ranks"))
          .singleElement()
          .satisfies(ranks -> assertThat(ranks.verdict()).isEqualTo(Verdict.WARNING))
          .satisfies(ranks -> assertThat(ranks.found()).contains("2 are needed (ranks.wait)"));
      JsonObject last = submission.result();
      assertThat(last.get("status").getAsString()).isEqualTo("failed");
      assertThat(last.get("exit_code").getAsInt()).isEqualTo(ExitCode.NO_FREE_SLOTS.number());
      assertThat(last.get("error").getAsString()).startsWith("Cannot start ranks: after 5 s");
    }
  }

  @Test
  void executorsThatARunWouldLeaveIdleAreCheckedTooForTheRanksOfTheRun() throws Exception {
    try (Submission submission = doctor(TWO_EXECUTORS).set("ranks.count", 1).start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isZero();
      List<Finding> findings = findings(submission);
      assertThat(of(findings, "ranks").findFirst().orElseThrow().found())
          .isEqualTo("1 ranks of 1 cores are to run, and can at once; all 2 slots are checked");
      assertThat(of(findings, "rates").map(Finding::where).distinct()).hasSize(2);
      assertThat(of(findings, "/dev/shm").findFirst().orElseThrow().found())
          .contains("a rank needs");
      assertThat(of(findings, "memory").findFirst().orElseThrow().found())
          .contains("for each of 1 ranks");
      assertThat(of(findings, "all-reduce").findFirst().orElseThrow().found())
          .startsWith("2 ranks on 1 host");
    }
    leftovers.assertNone();
  }

  @Test
  void anMpiLibraryThatIsNoneIsSaidOnceForAllRanksOfAHost() throws Exception {
    Path library = Files.writeString(directory.resolve("libmpi.so.12"), "not a library");
    try (Submission submission = doctor(TWO_EXECUTORS).set("mpi.library", library).start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.UNSUITABLE.number());
      List<Finding> findings = findings(submission);
      assertThat(problems(findings)).extracting(Finding::check).containsExactly("mpi");
      assertThat(of(findings, "rank")).isEmpty();
      assertThat(of(findings, "rates")).hasSize(2);
      assertThat(of(findings, "all-reduce")).hasSize(1);
    }
  }

  @Test
  void aLostExecutorIsNamedBesideAllThatWasFound() throws Exception {
    try (Submission submission = doctor(TWO_EXECUTORS).set("ranks.count", 2).start()) {
      await().atMost(LIMIT).until(() -> !leftovers.ranks().isEmpty());
      submission
          .driver()
          .descendants()
          .filter(DoctorClusterIT::isExecutor)
          .findFirst()
          .orElseThrow()
          .destroyForcibly();
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.UNSUITABLE.number());
      List<Finding> findings = findings(submission);
      assertThat(problems(findings))
          .singleElement()
          .satisfies(lost -> assertThat(lost.check()).isEqualTo("cluster"))
          .satisfies(
              lost ->
                  assertThat(lost.found())
                      .matches("Cannot check the cluster: executor [01] was lost.*"));
      assertThat(of(findings, "ranks")).hasSize(1);
      assertThat(findings).extracting(Finding::check).contains("cpu", "cache", "clock", "mpi");
      assertThat(submission.result().get("error").getAsString()).startsWith("cluster on driver: ");
    }
    leftovers.assertNone(Duration.ofSeconds(10));
  }

  private static boolean isExecutor(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"))
          .contains("CoarseGrainedExecutorBackend");
    } catch (IOException e) {
      return false; // it has just ended
    }
  }
}
