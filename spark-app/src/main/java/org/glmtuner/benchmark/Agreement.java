package org.glmtuner.benchmark;

import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Whether two computations of one value agree. */
final class Agreement {
  private Agreement() {}

  /**
   * Does nothing where they do.
   *
   * @param other whose value {@code found} is compared with
   * @param tolerance of the difference relative to {@code expected}
   * @throws TunerException (exit code 4) where they differ by more, or one is not a number
   */
  static void require(String other, double expected, double found, double tolerance, String what) {
    double difference = Math.abs(found - expected);
    if (!(difference <= tolerance * Math.abs(expected))) {
      throw refusal(
          "the "
              + what
              + " is "
              + found
              + ", "
              + other
              + " gives "
              + expected
              + " (they may differ by "
              + tolerance
              + " of it)");
    }
  }

  static TunerException refusal(String reason) {
    return new TunerException(ExitCode.TRAINING_FAILED, "Cannot vouch for the result: " + reason);
  }
}
