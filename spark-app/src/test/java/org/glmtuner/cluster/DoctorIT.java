package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.glmtuner.diagnosis.Finding;
import org.glmtuner.diagnosis.Verdict;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checks of a machine and of a cluster, with real ranks and a real HDFS. */
class DoctorIT {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  /** What must be found in every place, whatever the verdict. */
  private static final List<String> OF_A_HOST =
      List.of("cpu", "huge pages", "governor", "limits", "versions", "cache", "storage");

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;

  private Submission.Builder doctor(String... arguments) {
    return Submission.of(directory, "doctor")
        .arguments(arguments)
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("prefix.length", 8)
        .set("ranks.cores", 1)
        .cache(cache);
  }

  private static List<Finding> findings(List<String> lines) {
    return lines.stream().filter(line -> line.contains("\"check\"")).map(Finding::parse).toList();
  }

  private static Stream<Finding> of(List<Finding> findings, String check) {
    return findings.stream().filter(finding -> finding.check().equals(check));
  }

  private static void assertAllOk(List<Finding> findings, int number, String... checks) {
    for (String check : checks) {
      assertThat(of(findings, check))
          .as(check)
          .hasSize(number)
          .allSatisfy(f -> assertThat(f.verdict()).as(f.found()).isEqualTo(Verdict.OK));
    }
  }

  private static String only(List<Finding> findings, String check) {
    assertThat(of(findings, check)).as(check).hasSize(1);
    return of(findings, check).findFirst().orElseThrow().found();
  }

  private static void assertBound(Finding binding) {
    assertThat(binding.verdict()).as(binding.found()).isEqualTo(Verdict.OK);
    assertThat(binding.found()).matches("all \\d+ threads are bound to CPUs? \\d.*");
  }

  private static void assertVersions(Finding versions) {
    assertThat(versions.verdict()).isEqualTo(Verdict.OK);
    assertThat(versions.found())
        .matches(
            "Java \\d+ \\(.+\\), Spark 3\\.5\\.9, Scala 2\\.12\\.\\d+, Linux \\S+, glibc 2\\.\\d+");
  }

  private static void assertSummed(List<Finding> findings, String ranks) {
    assertThat(only(findings, "all-reduce"))
        .matches(
            ranks
                + ": 117 MB in \\d+\\.\\d{3} s \\(\\d+\\.\\d{2} GB/s\\), a few values in \\d+ us");
    assertThat(of(findings, "all-reduce").findFirst().orElseThrow().values())
        .hasEntrySatisfying(
            "all_reduce_gb_per_second", rate -> assertThat(rate).isBetween(0.01, 1000.0))
        .hasEntrySatisfying("small_sum_seconds", few -> assertThat(few).isBetween(1e-7, 1.0));
  }

  @Test
  void aMachineThatCanTrainHasNoProblem() throws Exception {
    Leftovers leftovers = Leftovers.watch(cache);
    Path output = directory.resolve("findings.jsonl");
    Path run = Files.createDirectory(directory.resolve("runs")).resolve("mine");
    try (Submission submission =
        doctor("--json", "--output", output.toString()).set("run.directory", run).start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isZero();
      List<Finding> findings = findings(Files.readAllLines(output));
      assertThat(findings).extracting(Finding::check).containsAll(OF_A_HOST);
      assertThat(findings).extracting(Finding::verdict).doesNotContain(Verdict.PROBLEM);
      assertAllOk(findings, 1, "topology", "cache", "storage", "model", "memory", "/dev/shm");
      assertAllOk(findings, 1, "kernels", "mpi", "all-reduce", "provider");
      assertThat(of(findings, "storage")).first().asString().contains(run.getParent().toString());
      assertThat(of(findings, "binding")).isNotEmpty().allSatisfy(DoctorIT::assertBound);
      assertVersions(of(findings, "versions").findFirst().orElseThrow());
      assertThat(only(findings, "provider"))
          .isEqualTo("2 ranks, UCX: shared memory, no TCP connection");
      assertThat(of(findings, "rates"))
          .isNotEmpty()
          .allSatisfy(rate -> assertThat(rate.values().get("gflops")).isBetween(0.1, 1e5));
      assertSummed(findings, "2 ranks on this host");
      JsonObject last = submission.result();
      assertThat(last.get("status").getAsString()).isEqualTo("finished");
      assertThat(last.get("checks").getAsInt()).isEqualTo(findings.size());
      assertThat(last.get("problems").getAsInt()).isZero();
    }
    assertThat(run).doesNotExist();
    assertThat(run.getParent()).isEmptyDirectory();
    leftovers.assertNone();
  }

  @Test
  void anMpiLibraryThatIsNoneWouldStopARunAndTheRestIsCheckedAllTheSame() throws Exception {
    Path library = Files.writeString(directory.resolve("libmpi.so.12"), "not a library");
    try (Submission submission = doctor().set("mpi.library", library).start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.UNSUITABLE.number());
      List<String> table = submission.outLines();
      assertThat(table)
          .anyMatch(line -> line.startsWith("mpi ") && line.contains(" problem "))
          .anyMatch(line -> line.startsWith("rates ") && line.contains(" ok "))
          .anyMatch(line -> line.startsWith("storage ") && line.contains(" skipped "));
      JsonObject last = submission.result();
      assertThat(last.get("status").getAsString()).isEqualTo("failed");
      assertThat(last.get("exit_code").getAsInt()).isEqualTo(ExitCode.UNSUITABLE.number());
      assertThat(last.get("error").getAsString()).contains(library.toString());
    }
  }

  @Test
  void anMpiLibraryThatRanksCannotUseWouldStopARunOnACluster() throws Exception {
    Path library = Checkout.fakeMpi("half_mpich");
    try (Submission submission =
        doctor("--json", "--master", "local-cluster[2,1,1024]")
            .set("ranks.count", 2)
            .set("mpi.library", library)
            .start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.UNSUITABLE.number());
      List<Finding> findings = findings(submission.outLines());
      assertThat(only(findings, "mpi"))
          .isEqualTo(
              "Cannot use the MPI library "
                  + library
                  + ": it has no function MPI_Init_thread (mpi.library)");
      assertThat(of(findings, "mpi"))
          .allSatisfy(mpi -> assertThat(mpi.verdict()).isEqualTo(Verdict.PROBLEM));
      assertAllOk(findings, 2, "kernels", "rates");
      assertThat(of(findings, "all-reduce"))
          .isNotEmpty()
          .allSatisfy(sum -> assertThat(sum.verdict()).isEqualTo(Verdict.SKIPPED));
      assertThat(of(findings, "provider")).isEmpty();
      assertThat(submission.result().get("exit_code").getAsInt())
          .isEqualTo(ExitCode.UNSUITABLE.number());
    }
  }

  @Test
  void anInterfaceThatIsNotThereIsNamedWithItsKey() throws Exception {
    try (Submission submission = doctor("--json").set("mpi.interface", "nope0").start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.UNSUITABLE.number());
      Finding mpi = of(findings(submission.outLines()), "mpi").findFirst().orElseThrow();
      assertThat(mpi.verdict()).isEqualTo(Verdict.PROBLEM);
      assertThat(mpi.found()).startsWith("Cannot use the network interface nope0 (mpi.interface)");
      assertThat(mpi.advice()).contains("mpi.interface").doesNotContain("mpi.library");
    }
  }

  @Test
  void aClusterIsCheckedOnAllItsExecutorsTogether() throws Exception {
    Leftovers leftovers = Leftovers.watch(cache);
    try (HdfsProcess hdfs = HdfsProcess.start(directory.resolve("hdfs"));
        Submission submission =
            doctor("--json", "--master", "local-cluster[2,1,1024]")
                .hdfs(hdfs)
                .set("ranks.count", 2)
                .set("run.directory", "/runs/mine")
                .set("model.path", "file:" + Checkout.goldenSmall().resolve("model"))
                .start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isZero();
      List<Finding> findings = findings(submission.outLines());
      assertThat(findings).extracting(Finding::verdict).doesNotContain(Verdict.PROBLEM);
      assertThat(findings).extracting(Finding::check).containsAll(OF_A_HOST);
      assertAllOk(findings, 2, "kernels", "rates", "binding");
      assertAllOk(findings, 1, "ranks", "model", "memory", "mpi", "all-reduce", "clock");
      assertThat(of(findings, "binding")).allSatisfy(DoctorIT::assertBound);
      assertThat(of(findings, "versions")).isNotEmpty().allSatisfy(DoctorIT::assertVersions);
      assertThat(only(findings, "provider"))
          .isEqualTo("2 ranks, UCX: shared memory, no TCP connection");
      assertThat(of(findings, "rates").map(Finding::where).distinct()).hasSize(2);
      assertSummed(findings, "2 ranks on 1 host");
      assertThat(of(findings, "storage").findFirst().orElseThrow().found()).startsWith(hdfs.uri());
      assertThat(of(findings, "balance")).hasSize(1);
      assertThat(submission.result().get("status").getAsString()).isEqualTo("finished");
      assertThat(hdfs.directory("/").hasChild("runs")).isFalse();
      assertThat(hdfs.directory("/").names()).isEmpty();
    }
    leftovers.assertNone();
  }
}
