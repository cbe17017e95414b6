package org.glmtuner.wire;

import java.io.Serializable;

/**
 * What a rank knows of a step that is done. All fields but the times are equal on all ranks.
 *
 * @param step counted from 0
 * @param loss mean over the step as {@code training.loss-average} says; NaN or infinite values
 *     stand as they are
 * @param gradientNorm before clipping
 * @param samples over all ranks
 * @param tokens over all ranks, padding never counted
 * @param applied false where the step was skipped because of a non-finite loss or gradient
 */
public record StepReport(
    long step,
    double loss,
    double gradientNorm,
    double learningRate,
    long samples,
    long tokens,
    boolean applied,
    Times times)
    implements Serializable {

  /**
   * Seconds of one rank.
   *
   * @param total from the step's samples to the updated parameters
   * @param allReduce of the sums of the gradient's slices, each from when all ranks had come to it:
   *     without the waiting for late ones
   * @param waiting that the rank stood still after its backward, for sums that it did not hide and
   *     for ranks that came later
   */
  public record Times(double total, double allReduce, double waiting) implements Serializable {}
}
