package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Path;
import java.util.Map;
import org.glmtuner.OwnCache;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With rank processes, in what this machine has. */
class CalibrationIT {
  private static final double SECONDS = 0.4;

  @TempDir static Path directory;

  private static TunerConfig config(String isa) {
    Map<String, String> settings = OwnCache.settings(directory.resolve("cache"));
    settings.put("engine.isa", isa);
    return ConfigLoader.load("", "", settings);
  }

  private static Topology topology() throws InterruptedException {
    return HostTopology.read(config("auto").cache().path());
  }

  private static void assertPlausible(Calibration.Rates rates) {
    assertThat(rates.operationsPerSecond()).isBetween(1e8, 1e14);
    assertThat(rates.bytesPerSecond()).isBetween(1e7, 1e12);
  }

  @Test
  void ranksAreMeasuredAloneAndAllAtOnce() throws Exception {
    Calibration two =
        Calibration.measure(config("auto"), topology(), 2, 1, SECONDS, TaskSignal.NEVER);
    assertPlausible(two.alone());
    assertThat(two.together()).hasSize(2).allSatisfy(CalibrationIT::assertPlausible);
    assertThat(two.threads()).isOne();
    assertThat(two.kernels()).endsWith("/bf16");
  }

  @Test
  void oneRankIsMeasuredOnceWithTheKernelsThatAreConfigured() throws Exception {
    Calibration one =
        Calibration.measure(config("generic"), topology(), 1, 2, SECONDS, TaskSignal.NEVER);
    assertThat(one.kernels()).isEqualTo("sgemm/bf16");
    assertThat(one.together()).containsExactly(one.alone());
    assertThat(one.refusals()).noneMatch(refusal -> refusal.startsWith("generic"));
  }

  @Test
  void instructionsThatTheMachineLacksAreRefusedWithTheReason() throws Exception {
    Calibration known =
        Calibration.measure(config("auto"), topology(), 1, 1, SECONDS, TaskSignal.NEVER);
    assumeFalse(known.refusals().isEmpty(), "this machine has all instructions");
    String[] refusal = known.refusals().get(0).split(": ", 2);
    assertThatThrownBy(
            () ->
                Calibration.measure(
                    config(refusal[0]), topology(), 1, 1, SECONDS, TaskSignal.NEVER))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageContaining("Cannot compute with engine.isa = " + refusal[0])
        .hasMessageContaining(refusal[1]);
  }
}
