package org.glmtuner.benchmark;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** How many times as fast we are, from the rates of several rounds. */
final class Ratios {
  private Ratios() {}

  /** Of the fastest rounds, each its own. */
  static double ofBest(List<Double> ours, List<Double> theirs) {
    return Collections.max(ours) / Collections.max(theirs);
  }

  /** The median of the ratios in each round. */
  static double median(List<Double> ours, List<Double> theirs) {
    double[] ratios =
        IntStream.range(0, ours.size())
            .mapToDouble(round -> ours.get(round) / theirs.get(round))
            .sorted()
            .toArray();
    int middle = ratios.length / 2;
    return ratios.length % 2 == 1 ? ratios[middle] : (ratios[middle - 1] + ratios[middle]) / 2;
  }
}
