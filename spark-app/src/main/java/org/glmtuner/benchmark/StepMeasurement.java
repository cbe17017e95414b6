package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.wire.StepReport;

/**
 * A step that was repeated after a warm-up, with the CPUs' peaks measured in between.
 *
 * @param rows of each rank
 * @param first seconds of the warm-up, whole
 * @param times the fastest first
 * @param report of rank 0, of any of the steps: they are equal but for the times
 */
record StepMeasurement(
    List<List<Sample>> rows, double first, List<StepTimes> times, StepReport report, Peaks peaks) {
  /** The same step again, summed in the same order. */
  private static final double REPEATED = 1e-6;

  static StepMeasurement of(TrainingGroup group, List<List<Sample>> rows, int repeat, Peaks peaks)
      throws IOException, InterruptedException {
    StepReport first = group.step(rows).get(0);
    checkFinite(first);
    List<StepTimes> times = new ArrayList<>();
    for (int i = 0; i < repeat; i++) {
      peaks.measure();
      List<StepReport> reports = group.step(rows);
      checkSame(first, reports.get(0));
      times.add(StepTimes.of(reports));
    }
    peaks.measure();
    times.sort(StepTimes.FASTEST);
    return new StepMeasurement(rows, first.times().total(), List.copyOf(times), first, peaks);
  }

  private static void checkFinite(StepReport report) {
    if (!report.applied()) {
      throw new TunerException(
          ExitCode.TRAINING_FAILED,
          "Cannot measure a step: its loss is "
              + report.loss()
              + " and its gradient's norm "
              + report.gradientNorm());
    }
  }

  /** Throws where a step that is repeated comes to something else. */
  static void checkSame(StepReport first, StepReport repeated) {
    checkFinite(repeated);
    Agreement.require("the same step before", first.loss(), repeated.loss(), REPEATED, "loss");
    Agreement.require(
        "the same step before",
        first.gradientNorm(),
        repeated.gradientNorm(),
        REPEATED,
        "gradient norm");
  }

  /** Tokens over all ranks, eop among them. */
  long tokens() {
    return rows.stream().flatMap(List::stream).mapToLong(Sample::length).sum();
  }

  /** Seconds of the fastest step. */
  double seconds() {
    return times.get(0).gradient();
  }

  private double secondsMedian() {
    return times.get(times.size() / 2).gradient();
  }

  double tokensPerSecond() {
    return tokens() / seconds();
  }

  private void describePeaks(double rate, JsonObject line) {
    line.addProperty("fma_peak_gflops", Numbers.rounded(peaks.fma() / 1e9));
    line.addProperty("fma_peak_fraction", Numbers.rounded(rate / peaks.fma()));
    line.addProperty("kernel_peak_gflops", Numbers.rounded(peaks.kernels() / 1e9));
    line.addProperty("kernel_peak_fraction", Numbers.rounded(rate / peaks.kernels()));
  }

  /** The fields that describe the step, by the names that a peer gives them. */
  void describe(Settings settings, JsonObject line) {
    ModelShape model = settings.model();
    line.addProperty("mode", settings.mode());
    line.addProperty("ranks", settings.group().ranks());
    line.addProperty("threads", settings.group().threads());
    line.addProperty("layers", model.layers());
    line.addProperty("vocab", model.vocabulary());
    line.addProperty("hidden", model.hidden());
    line.addProperty("prefix", model.prefix());
    line.addProperty("rows", rows.stream().mapToInt(List::size).sum());
    line.addProperty("tokens", tokens());
    line.addProperty("seconds", Numbers.rounded(seconds()));
    line.addProperty("seconds_median", Numbers.rounded(secondsMedian()));
    line.addProperty("tokens_per_second", Numbers.rounded(tokensPerSecond()));
    line.addProperty("tokens_per_second_median", Numbers.rounded(tokens() / secondsMedian()));
    line.addProperty("loss", Numbers.rounded(report.loss()));
    line.addProperty("gradient_norm", Numbers.rounded(report.gradientNorm()));
    double operations = rows.stream().flatMap(List::stream).mapToDouble(model::operations).sum();
    line.addProperty("gflop", Numbers.rounded(operations / 1e9));
    describePeaks(operations / seconds(), line);
    StepTimes fastest = times.get(0);
    line.addProperty("gemm_seconds", Numbers.rounded(fastest.products()));
    line.addProperty("allreduce_seconds", Numbers.rounded(fastest.allReduce()));
    line.addProperty("wait_seconds", Numbers.rounded(fastest.waiting()));
    line.addProperty("optimizer_seconds", Numbers.rounded(fastest.update()));
  }
}
