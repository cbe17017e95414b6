package org.glmtuner.planning;

/**
 * What the rank with the most to do has to do in a step.
 *
 * @param samples of it
 * @param tokens of all of them
 * @param labelled tokens of all of them that have labels
 * @param microBatches in which it passes them through the layers
 */
public record StepShare(int samples, double tokens, double labelled, int microBatches) {

  /**
   * The share of a rank that gets as many samples as any.
   *
   * @param budget tokens of a micro-batch; a longer sample is one of its own
   */
  static StepShare of(int globalBatch, int ranks, SampleSizes sizes, int budget) {
    int samples = (globalBatch + ranks - 1) / ranks;
    int together = Math.max(1, (int) (budget / sizes.tokens()));
    return new StepShare(
        samples,
        samples * sizes.tokens(),
        samples * sizes.labelled(),
        (samples + together - 1) / together);
  }
}
