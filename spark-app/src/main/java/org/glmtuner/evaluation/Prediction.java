package org.glmtuner.evaluation;

import java.util.Objects;

/**
 * What was generated for a row, and what should have been.
 *
 * @param labels the reference
 * @param predict the hypothesis
 */
public record Prediction(String labels, String predict) {
  public Prediction {
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(predict, "predict");
  }
}
