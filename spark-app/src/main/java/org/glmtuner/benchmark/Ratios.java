package org.glmtuner.benchmark;

import java.util.List;
import java.util.stream.IntStream;

/**
 * How many times as fast as another we are, round by round: only what was measured in the same
 * round is compared.
 */
record Ratios(List<Double> rounds) {
  Ratios {
    rounds = List.copyOf(rounds);
  }

  /** Of the rates of as many rounds. */
  static Ratios of(List<Double> ours, List<Double> theirs) {
    return new Ratios(
        IntStream.range(0, theirs.size())
            .mapToObj(round -> ours.get(round) / theirs.get(round))
            .toList());
  }

  double last() {
    return rounds.get(rounds.size() - 1);
  }

  double least() {
    return rounds.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
  }

  double median() {
    double[] sorted = rounds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
