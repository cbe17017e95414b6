package org.glmtuner.benchmark;

import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.glmtuner.wire.StepReport;
import org.glmtuner.wire.StepReport.Times;

/**
 * What a step took, in seconds of the slowest rank.
 *
 * @param gradient forward, backward and all-reduce
 * @param update clipping and optimiser
 * @param products of {@code gradient}, the matrix products with the base's weights
 * @param allReduce as {@link Times} tells it
 * @param waiting of {@code gradient}, as {@link Times} tells it
 */
record StepTimes(
    double gradient, double update, double products, double allReduce, double waiting) {
  static final Comparator<StepTimes> FASTEST = Comparator.comparingDouble(StepTimes::gradient);

  static StepTimes of(List<StepReport> ranks) {
    return new StepTimes(
        slowest(ranks, times -> times.total() - times.update()),
        slowest(ranks, Times::update),
        slowest(ranks, Times::products),
        slowest(ranks, Times::allReduce),
        slowest(ranks, Times::waiting));
  }

  private static double slowest(List<StepReport> ranks, ToDoubleFunction<Times> seconds) {
    return ranks.stream().map(StepReport::times).mapToDouble(seconds).max().orElseThrow();
  }
}
