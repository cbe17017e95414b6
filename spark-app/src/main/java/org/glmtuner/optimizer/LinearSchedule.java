package org.glmtuner.optimizer;

/**
 * The learning rate falls linearly from its first value to 0 at the end of the run, without
 * warm-up, as HF Trainer 4.27.1 does by default.
 *
 * @param initial of the first step
 * @param steps of the whole run
 */
public record LinearSchedule(double initial, long steps) {
  /** The rate of the step after {@code done} finished ones. */
  public double rate(long done) {
    return initial * (steps - done) / steps;
  }
}
