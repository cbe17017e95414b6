package org.glmtuner.metrics;

/**
 * A line of {@code metrics.jsonl} for a measurement on the validation rows.
 *
 * @param step optimiser steps done
 * @param withPrefix false for the base alone
 * @param evalLoss teacher-forced, averaged as {@code training.loss-average} says
 */
public record EvaluationRecord(long step, boolean withPrefix, double evalLoss, String attempt) {
  public String toJson() {
    return RecordJson.write(this);
  }
}
