package org.glmtuner.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.wire.StepReport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MeasuredValuesTest {
  private static StepReport report(double loss, double norm, StepReport.Times times) {
    return new StepReport(0, loss, norm, 0, 4, 400, true, times);
  }

  private static StepResult result(double loss, double norm, float... gradient) {
    return new StepResult(
        report(loss, norm, new StepReport.Times(1, 0, 0, 0, 0)), List.of(gradient));
  }

  private static StepResult result(double loss, double norm) {
    return result(loss, norm, 3, 4, 30, 40);
  }

  @Test
  void theSlowestRankCounts() {
    StepTimes times =
        StepTimes.of(
            List.of(
                report(1, 1, new StepReport.Times(3.0, 1.0, 1.5, 0.5, 0.125)),
                report(1, 1, new StepReport.Times(2.75, 0.5, 2.0, 0.25, 0.0625))));
    assertThat(times).isEqualTo(new StepTimes(2.25, 1.0, 2.0, 0.5, 0.125));
  }

  @ParameterizedTest
  @CsvSource({"4.2, 0.5", "4.0, 0.6", "NaN, 0.5", "4.0, NaN", "4.0, Infinity"})
  void aWrongResultFails(double loss, double norm) {
    Verification wrong = new Verification(2, result(loss, norm), result(4.0, 0.5), Precision.BF16);
    assertThatThrownBy(wrong::require)
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TRAINING_FAILED))
        .hasMessageStartingWith("Cannot vouch for the result: the ")
        .hasMessageContaining("one rank with engine.isa = generic gives");
  }

  @Test
  void roundingIsNoError() {
    Verification right =
        new Verification(2, result(4.0001, 0.5001), result(4.0, 0.5), Precision.BF16);
    assertThatCode(right::require).doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                new Verification(2, result(4.0001, 0.5), result(4.0, 0.5), Precision.FP32)
                    .require())
        .hasMessageContaining("the loss is 4.0001");
  }

  @ParameterizedTest
  @CsvSource({"3, 5, 30, 40, keys", "3, 4, 40, 30, values", "NaN, 4, 30, 40, keys"})
  void aGradientThatPointsElsewhereFails(float a, float b, float c, float d, String where) {
    Verification wrong =
        new Verification(2, result(4, 0.5, a, b, c, d), result(4, 0.5), Precision.BF16);
    assertThatThrownBy(wrong::require)
        .hasMessageStartingWith(
            "Cannot vouch for the result: the gradient of the prefix's " + where + " in layer 0");
  }

  @Test
  void gradientsAreComparedLayerByLayer() {
    GradientDifference difference =
        GradientDifference.of(
            List.of(new float[] {3, 4, 30, 40}, new float[] {0, 1, 1, 0}),
            List.of(new float[] {3, 4.5f, 30, 40}, new float[] {0, 1, 1, 0.25f}));
    assertThat(difference.keys()).containsExactly(0.1, 0.0);
    assertThat(difference.values()).containsExactly(0.0, 0.25);
  }

  @Test
  void ratiosAreOfTheSameRounds() {
    List<Double> ours = List.of(120.0, 100.0, 110.0);
    List<Double> theirs = List.of(50.0, 50.0, 60.0);
    Ratios ratios = Ratios.of(ours, theirs);
    assertThat(ratios.rounds()).containsExactly(2.4, 2.0, 110.0 / 60);
    assertThat(ratios.least()).isEqualTo(110.0 / 60);
    assertThat(ratios.median()).isEqualTo(2.0);
    assertThat(Ratios.of(List.of(10.0, 30.0), List.of(10.0, 10.0)).median()).isEqualTo(2.0);
    assertThat(Ratios.of(List.of(10.0, 30.0), List.of(5.0)).last()).isEqualTo(2.0);
  }

  @Test
  void depthsAreComparedWithALine() {
    List<Integer> depths = List.of(8, 16, 28);
    assertThat(LinearCommand.lineDeviation(depths, List.of(9.0, 17.0, 29.0))).isEqualTo(0);
    assertThat(LinearCommand.lineDeviation(depths, List.of(9.0, 18.7, 29.0)))
        .isCloseTo(0.1, within(1e-9));
  }

  @Test
  void memoryIsReadFromTheKernelsSummary() throws Exception {
    List<String> lines =
        List.of(
            "00400000-7fff00000000 ---p 00000000 00:00 0 [rollup]",
            "Rss:              300000 kB",
            "Pss:              200000 kB",
            "Pss_Dirty:        150000 kB",
            "Private_Clean:     40000 kB",
            "Private_Dirty:    100000 kB");
    assertThat(ProcessMemory.parse(lines))
        .isEqualTo(new ProcessMemory(300_000L << 10, 200_000L << 10, 100_000L << 10));
    assertThat(ProcessMemory.of(ProcessHandle.current().pid()).own()).isPositive();
  }
}
