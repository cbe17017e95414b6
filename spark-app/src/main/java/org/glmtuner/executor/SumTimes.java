package org.glmtuner.executor;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.wire.Frame;

/**
 * What ranks say to each other in a step, without the step: seconds of the slowest rank, in each
 * round and sorted where there are several.
 *
 * @param joining the MPI library's loading and initialisation, and the group's test of itself
 * @param bytes of the gradient
 * @param gradient of its sum over all ranks, layer by layer as in a step
 * @param few of the sum of a few values
 * @param backend of the process group
 * @param library version of its MPI library
 */
public record SumTimes(
    double joining, long bytes, double[] gradient, double[] few, String backend, String library) {

  /**
   * Measures with ranks that have not been told anything yet. They stay.
   *
   * @param shape of the gradient, which is summed by the slices of its first dimension
   * @param rounds of each kind, after one that warms up
   */
  public static SumTimes measure(LocalRanks ranks, int[] shape, int rounds)
      throws InterruptedException {
    for (int rank = 0; rank < ranks.count(); rank++) {
      ranks.post(rank, new Frame.MeasureSums(ranks.membership(rank), shape, rounds));
    }
    Frame.Ready ready = (Frame.Ready) ranks.answers().get(0);
    List<Frame.SumsMeasured> measured =
        ranks.answers().stream().map(Frame.SumsMeasured.class::cast).toList();
    return new SumTimes(
        measured.stream().mapToDouble(Frame.SumsMeasured::joining).max().orElseThrow(),
        bytes(shape),
        slowest(measured.stream().map(Frame.SumsMeasured::gradient).toList()),
        slowest(measured.stream().map(Frame.SumsMeasured::few).toList()),
        ready.backend(),
        ready.library());
  }

  /** Of a gradient of this shape. */
  static long bytes(int[] shape) {
    return Arrays.stream(shape).asLongStream().reduce(Float.BYTES, (a, b) -> a * b);
  }

  private static double[] slowest(List<double[]> ranks) {
    return IntStream.range(0, ranks.get(0).length)
        .mapToDouble(round -> ranks.stream().mapToDouble(own -> own[round]).max().orElseThrow())
        .sorted()
        .toArray();
  }
}
