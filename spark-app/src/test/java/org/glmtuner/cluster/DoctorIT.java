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
      assertAllOk(findings, 1, "kernels", "mpi", "all-reduce");
      assertThat(of(findings, "storage")).first().asString().contains(run.getParent().toString());
      assertThat(of(findings, "binding")).isNotEmpty();
      assertThat(of(findings, "rates"))
          .isNotEmpty()
          .allSatisfy(rate -> assertThat(rate.values().get("gflops")).isBetween(0.1, 1e5));
      assertThat(of(findings, "all-reduce").findFirst().orElseThrow().values())
          .hasEntrySatisfying(
              "all_reduce_gb_per_second", rate -> assertThat(rate).isBetween(0.01, 1000.0));
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
      assertAllOk(findings, 2, "kernels", "rates");
      assertAllOk(findings, 1, "ranks", "model", "memory", "mpi", "all-reduce", "clock");
      assertThat(of(findings, "rates").map(Finding::where).distinct()).hasSize(2);
      assertThat(of(findings, "all-reduce").findFirst().orElseThrow().found())
          .startsWith("2 ranks on 1 host: 117 MB in ");
      assertThat(of(findings, "storage").findFirst().orElseThrow().found()).startsWith(hdfs.uri());
      assertThat(of(findings, "balance")).hasSize(1);
      assertThat(submission.result().get("status").getAsString()).isEqualTo("finished");
      assertThat(hdfs.directory("/").hasChild("runs")).isFalse();
      assertThat(hdfs.directory("/").names()).isEmpty();
    }
    leftovers.assertNone();
  }
}
