package org.glmtuner.failure;

/**
 * How a command ends. A scheduler should retry {@link #TRAINING_FAILED} and {@link #NO_FREE_SLOTS},
 * nothing else.
 */
public enum ExitCode {
  DONE(0, "finished"),
  INVALID(2, "bad arguments or configuration"),
  UNSUITABLE(3, "this cluster can never run it: cores, memory, versions"),
  TRAINING_FAILED(4, "training failed after its retries"),
  CANCELLED(5, "cancelled"),
  DAMAGED(6, "data or checkpoint damaged or missing"),
  DIVERGED(7, "the loss diverged"),
  NO_FREE_SLOTS(8, "not enough free slots within ranks.wait");

  private final int number;
  private final String meaning;

  ExitCode(int number, String meaning) {
    this.number = number;
    this.meaning = meaning;
  }

  /** What the process exits with. */
  public int number() {
    return number;
  }

  public String meaning() {
    return meaning;
  }
}
