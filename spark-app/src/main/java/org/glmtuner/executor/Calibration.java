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
   * @param config its cache, engine, ranks and MPI count
   * @param threads of each rank
   * @param seconds of each measurement; there are two of them, or one where there is one rank
   * @throws org.glmtuner.failure.TunerException with exit code 3 where the machine refuses {@code
   *     engine.isa} or has too few CPUs
   */
  public static Calibration measure(
      TunerConfig config, Topology topology, int ranks, int threads, double seconds)
      throws IOException, InterruptedException {
    try (LocalRanks group = LocalRanks.open(config, topology, ranks, threads)) {
      Calibration measured = of(group, config, threads, seconds);
      group.finish();
      return measured;
    }
  }

  /** As {@link #measure}, of ranks that have not been told anything yet. They stay. */
  static Calibration of(LocalRanks group, TunerConfig config, int threads, double seconds)
      throws InterruptedException {
    post(group, new Frame.Calibrate(threads, config.engine().isa()));
    Frame.Ready ready = (Frame.Ready) group.answers().get(0);
    Frame.MeasureRates request = new Frame.MeasureRates(seconds);
    group.post(0, request);
    Frame.Calibrated alone = (Frame.Calibrated) group.answer(0);
    List<Rates> together = List.of(Rates.of(alone));
    if (group.count() > 1) {
      post(group, request);
      together = group.answers().stream().map(frame -> Rates.of((Frame.Calibrated) frame)).toList();
    }
    return new Calibration(ready.kernels(), threads, Rates.of(alone), together, alone.refusals());
  }

  private static void post(LocalRanks group, Frame frame) {
    for (int rank = 0; rank < group.count(); rank++) {
      group.post(rank, frame);
    }
  }
}
