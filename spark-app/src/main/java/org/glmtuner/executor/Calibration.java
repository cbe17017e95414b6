package org.glmtuner.executor;

import java.io.IOException;
import java.util.List;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.Frame;

/**
 * What ranks do on this machine, measured with the engine's own products and reads, without a
 * model.
 *
 * @param kernels what multiplies, such as {@code avx2/bf16}
 * @param threads of each rank
 * @param alone of the first rank while the others do nothing
 * @param together of each rank while all are measured; less where they share memory
 * @param refusals instructions that this machine does not have, each with the reason
 */
public record Calibration(
    String kernels, int threads, Rates alone, List<Rates> together, List<String> refusals) {

  /**
   * Of a rank.
   *
   * @param operationsPerSecond of matrix products with BF16 weights, two for each multiplication
   *     and addition
   * @param bytesPerSecond read from memory by all threads together
   */
  public record Rates(double operationsPerSecond, double bytesPerSecond) {
    static Rates of(Frame.Calibrated measured) {
      return new Rates(measured.operationsPerSecond(), measured.bytesPerSecond());
    }
  }

  /**
   * Starts ranks, measures and ends them.
   *
   * @param config its cache, engine and ranks count
   * @param cores of each rank
   * @param seconds of each measurement; there are two of them, or one where there is one rank
   * @param signal ends it
   * @throws org.glmtuner.failure.TunerException with exit code 3 where the machine refuses {@code
   *     engine.isa} or has too few CPUs, 8 where others use them
   */
  public static Calibration measure(
      TunerConfig config,
      Topology topology,
      int ranks,
      int cores,
      double seconds,
      TaskSignal signal)
      throws IOException, InterruptedException {
    try (LocalRanks group = LocalRanks.openAlone(config, topology, ranks, cores, signal)) {
      Frame.Ready ready = start(group, config).get(0);
      Calibration measured = of(group, ready, seconds);
      group.finish();
      return measured;
    }
  }

  /** What ranks that have not been told anything yet say once they could measure. */
  static List<Frame.Ready> start(LocalRanks group, TunerConfig config) throws InterruptedException {
    post(group, new Frame.Calibrate(group.threads(), config.engine().isa()));
    return group.answers().stream().map(Frame.Ready.class::cast).toList();
  }

  /** Measures with ranks that have started. They stay. */
  static Calibration of(LocalRanks group, Frame.Ready ready, double seconds)
      throws InterruptedException {
    Frame.MeasureRates request = new Frame.MeasureRates(seconds);
    group.post(0, request);
    Frame.Calibrated alone = (Frame.Calibrated) group.answer(0);
    List<Rates> together = List.of(Rates.of(alone));
    if (group.count() > 1) {
      post(group, request);
      together = group.answers().stream().map(frame -> Rates.of((Frame.Calibrated) frame)).toList();
    }
    return new Calibration(
        ready.kernels(), group.threads(), Rates.of(alone), together, alone.refusals());
  }

  private static void post(LocalRanks group, Frame frame) {
    for (int rank = 0; rank < group.count(); rank++) {
      group.post(rank, frame);
    }
  }
}
