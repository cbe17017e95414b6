package org.glmtuner.benchmark;

import org.glmtuner.failure.TunerException;

/** Counts that the user gives. */
final class Positive {
  private Positive() {}

  /** The value, which is refused where it is below 1. */
  static int check(String option, int value) {
    if (value < 1) {
      throw TunerException.invalid("Invalid " + option + ": " + value + " (at least 1)");
    }
    return value;
  }
}
