package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.glmtuner.executor.LocalRanks;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code plan} and {@code doctor} beside the ranks of others, and when they are cancelled. */
class ImpatientCommandsIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final Duration END = Duration.ofSeconds(5);
  private static final Path XEON_MAX =
      Checkout.module().resolve("src/test/resources/topologies/xeonmax9462-snc4-flat.xml");

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;

  private Submission.Builder command(String... arguments) {
    return Submission.of(directory, arguments).set("ranks.cores", 1).cache(cache);
  }

  /** Ranks on all cores of this machine. */
  private static LocalRanks others() throws IOException, InterruptedException {
    int cpus = Runtime.getRuntime().availableProcessors();
    return OtherRanks.open(cache, cpus);
  }

  /** Cancels as Ctrl-C and schedulers do. */
  private static void assertEndsWhenCancelled(Submission submission) throws Exception {
    long cancelled = System.nanoTime();
    assertThat(submission.driver().destroy()).isTrue();
    assertThat(submission.await(LIMIT)).as(submission.err()).isEqualTo(ExitCode.CANCELLED.number());
    assertThat(Duration.ofNanos(System.nanoTime() - cancelled)).isLessThan(END);
    assertThat(submission.result().get("status").getAsString()).isEqualTo("cancelled");
    assertThat(submission.result().get("exit_code").getAsInt())
        .isEqualTo(ExitCode.CANCELLED.number());
  }

  @Test
  void aPlanBesideARunSaysHowToDoWithoutMeasuring() throws Exception {
    try (LocalRanks others = others();
        Submission plan = command("plan", "--topology", XEON_MAX.toString()).start()) {
      assertThat(others.cpus()).isNotEmpty();
      assertThat(plan.await(LIMIT)).as(plan.err()).isEqualTo(ExitCode.NO_FREE_SLOTS.number());
      assertThat(plan.result().get("error").getAsString())
          .contains("in use by other ranks, waited 15 s (ranks.wait)")
          .endsWith("; with --gflops-per-core nothing is measured");
    }
  }

  @Test
  void aPlanThatWaitsForCoresIsCancelled() throws Exception {
    try (LocalRanks others = others();
        Submission plan =
            command("plan", "--topology", XEON_MAX.toString()).set("ranks.wait", "10m").start()) {
      assertThat(others.cpus()).isNotEmpty();
      await().atMost(LIMIT).until(() -> plan.err().contains("measuring"));
      assertEndsWhenCancelled(plan);
    }
  }

  @Test
  void theChecksOfAMachineAreCancelledWithTheirRanks() throws Exception {
    Leftovers leftovers = Leftovers.watch(cache);
    try (Submission doctor = command("doctor", "--json").start()) {
      await().atMost(LIMIT).until(() -> !leftovers.ranks().isEmpty());
      assertEndsWhenCancelled(doctor);
      assertThat(doctor.outLines()).as("no findings of checks that were not made").hasSize(1);
    }
    leftovers.assertNone();
  }
}
