package org.glmtuner.metrics;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

/**
 * A line of {@code metrics.jsonl} for a measurement on the validation rows.
 *
 * @param step optimiser steps done
 * @param withPrefix false for the base alone
 * @param evalLoss teacher-forced, averaged as {@code training.loss-average} says
 */
public record EvaluationRecord(long step, boolean withPrefix, double evalLoss, String attempt) {
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .serializeSpecialFloatingPointValues()
          .create();

  public String toJson() {
    return GSON.toJson(this);
  }
}
