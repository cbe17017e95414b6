package org.glmtuner.metrics;

import com.google.gson.JsonParser;

/**
 * A line of {@code metrics.jsonl}: the steps since the line before. Keys are the names in
 * lower_case_with_underscores.
 *
 * @param step optimiser steps done, counted from 1
 * @param epoch passes over the rows done, with fraction
 * @param loss mean over the steps; NaN if one of them was
 * @param gradNorm of the last step, before clipping
 * @param learningRate of the last step
 * @param samples sum over steps and ranks
 * @param tokens sum over steps and ranks; padding is never counted
 * @param stepSeconds mean
 * @param allreduceSeconds mean per step of the time in which gradients were summed, without the
 *     waiting for late ranks
 * @param waitSeconds mean per step of the time in which the first rank stood still after its
 *     backward: sums that computing did not hide, and ranks that came later
 * @param skipped steps that changed nothing because their loss or gradient was not finite
 */
public record StepRecord(
    long step,
    double epoch,
    double loss,
    double gradNorm,
    double learningRate,
    long samples,
    long tokens,
    double stepSeconds,
    double tokensPerSecond,
    double allreduceSeconds,
    double waitSeconds,
    int worldSize,
    String attempt,
    int skipped) {

  public String toJson() {
    return RecordJson.write(this);
  }

  /** The step of a line of {@code metrics.jsonl}. */
  public static long stepOf(String line) {
    return JsonParser.parseString(line).getAsJsonObject().get("step").getAsLong();
  }
}
