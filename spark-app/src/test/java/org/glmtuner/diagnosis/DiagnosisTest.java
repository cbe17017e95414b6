package org.glmtuner.diagnosis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class DiagnosisTest {
  private final Findings findings = new Findings("a.b");

  @Test
  void withoutProblemsTheRunCanStart() {
    findings.ok("cpu", "fast", Map.of("gflops", 12.5));
    findings.skipped("governor", "none");
    findings.warning("clock", "late", "set it");
    Diagnosis diagnosis = new Diagnosis(findings.list());
    assertThat(diagnosis.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(diagnosis.summary())
        .hasToString(
            "{\"status\":\"finished\",\"checks\":3,\"skipped\":1,\"warnings\":1,\"problems\":0}");
  }

  @Test
  void oneProblemWouldStopARun() {
    findings.problem("mpi", "no library", "install one");
    findings.problem("cache", "full", "make room");
    Diagnosis diagnosis = new Diagnosis(findings.list());
    assertThat(diagnosis.exitCode()).isEqualTo(ExitCode.UNSUITABLE);
    JsonObject summary = diagnosis.summary();
    assertThat(summary.get("status").getAsString()).isEqualTo("failed");
    assertThat(summary.get("exit_code").getAsInt()).isEqualTo(3);
    assertThat(summary.get("error").getAsString()).isEqualTo("mpi on a.b: no library");
  }

  @Test
  void columnsAreAlignedAndLongFindingsWrapped() {
    findings.ok("cpu", "short");
    findings.problem("huge pages", "one two three four five six", "do this");
    assertThat(new Diagnosis(findings.list()).table(46))
        .containsExactly(
            "cpu         a.b  ok       short",
            "huge pages  a.b  problem  one two three four",
            "                          five six",
            "                          -> do this");
  }

  @Test
  void findingsTravelAsLines() {
    findings.ok("rates", "\"80 GFLOP/s\", 中文\n", Map.of("gflops", 80.25));
    findings.warning("clock", "late", "set it");
    List<Finding> sent = findings.list();
    List<Finding> received = new Diagnosis(sent).json().stream().map(Finding::parse).toList();
    assertThat(received).isEqualTo(sent);
  }

  @Test
  void aCheckThatThrowsIsAFindingAndTheOthersGoOn() throws Exception {
    findings.attempt(
        "mpi",
        Duration.ofSeconds(10),
        "install one",
        () -> {
          throw TunerException.invalid("Cannot use it: because\nof this");
        });
    findings.attempt("cpu", Duration.ofSeconds(10), "", () -> findings.ok("cpu", "fast"));
    assertThat(findings.list())
        .containsExactly(
            new Finding(
                "mpi", "a.b", Verdict.PROBLEM, "Cannot use it: because", "install one", Map.of()),
            new Finding("cpu", "a.b", Verdict.OK, "fast", "", Map.of()));
  }

  @Test
  void aCheckThatHangsIsInterruptedAndFound() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    int number =
        findings.value(
            "storage",
            Duration.ofMillis(100),
            "look there",
            7,
            () -> {
              try {
                new CountDownLatch(1).await();
              } finally {
                interrupted.countDown();
              }
              return 8;
            });
    assertThat(number).isEqualTo(7);
    assertThat(interrupted.getCount()).isZero();
    assertThat(findings.list())
        .containsExactly(
            new Finding(
                "storage",
                "a.b",
                Verdict.PROBLEM,
                "Cannot check storage: no end after 0.1 s",
                "look there",
                Map.of()));
  }

  @Test
  void aClusterWithoutFreeSlotsIsUncheckedAndNotUnsuitable() {
    TunerException noSlots = new TunerException(ExitCode.NO_FREE_SLOTS, "Cannot start ranks: none");
    findings.failed("ranks", noSlots, "larger executors", "wait longer");
    assertThat(findings.list())
        .containsExactly(
            new Finding(
                "ranks",
                "a.b",
                Verdict.WARNING,
                "Cannot start ranks: none",
                "wait longer",
                Map.of()));
    Diagnosis diagnosis = new Diagnosis(findings.list(), Optional.of(noSlots));
    assertThat(diagnosis.exitCode()).isEqualTo(ExitCode.NO_FREE_SLOTS);
    assertThat(diagnosis.summary())
        .hasToString(
            "{\"status\":\"failed\",\"checks\":1,\"skipped\":0,\"warnings\":1,\"problems\":0,"
                + "\"exit_code\":8,\"error\":\"Cannot start ranks: none\"}");
    findings.problem("mpi", "no library", "install one");
    assertThat(new Diagnosis(findings.list(), Optional.of(noSlots)).exitCode())
        .isEqualTo(ExitCode.UNSUITABLE);
  }

  @Test
  void cancelledChecksEndSoonAndAreNoFindings() {
    AtomicBoolean cancelled = new AtomicBoolean();
    Findings some =
        new Findings(
            "a.b",
            () -> {
              if (cancelled.get()) {
                throw new TunerException(ExitCode.CANCELLED, "Cancelled");
              }
            });
    CountDownLatch ended = new CountDownLatch(1);
    long start = System.nanoTime();
    assertThatThrownBy(
            () ->
                some.attempt(
                    "storage",
                    Duration.ofMinutes(2),
                    "look there",
                    () -> {
                      cancelled.set(true);
                      try {
                        new CountDownLatch(1).await();
                      } finally {
                        ended.countDown();
                      }
                    }))
        .hasMessage("Cancelled");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    assertThat(ended.getCount()).isZero();
    assertThatThrownBy(() -> some.failed("rates", new IOException("its rank was ended"), ""))
        .hasMessage("Cancelled");
    assertThat(some.list()).isEmpty();
  }

  @Test
  void coresThatAreInUseOnlyDelayARun() {
    findings.failed(
        "rates", new TunerException(ExitCode.NO_FREE_SLOTS, "Cannot start: all in use"), "");
    assertThat(findings.list().get(0).verdict()).isEqualTo(Verdict.WARNING);
  }
}
