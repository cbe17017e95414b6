package org.glmtuner.metrics;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

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
 * @param allreduceSeconds mean per step
 * @param waitSeconds mean per step; the part of {@code allreduceSeconds} that computing did not
 *     hide
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

  /** NaN and infinities are written as such: a loss that is not a number must not look like one. */
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .serializeSpecialFloatingPointValues()
          .create();

  public String toJson() {
    return GSON.toJson(this);
  }

  /** The step of a line of {@code metrics.jsonl}. */
  public static long stepOf(String line) {
    return GSON.fromJson(line, com.google.gson.JsonObject.class).get("step").getAsLong();
  }
}
