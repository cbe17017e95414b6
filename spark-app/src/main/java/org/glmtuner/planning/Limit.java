package org.glmtuner.planning;

import java.util.Locale;

/** What a run would gain most from having more of. */
public enum Limit {
  COMPUTE("the products and what is between them take most of the step"),
  BANDWIDTH("reading the weights takes most of the step"),
  MEMORY("for want of memory, micro-batches are smaller than a rank's share of the step"),
  NETWORK("the sum over ranks takes most of the step, beside what the backward hides");

  private final String explanation;

  Limit(String explanation) {
    this.explanation = explanation;
  }

  /** A clause for people. */
  public String explanation() {
    return explanation;
  }

  /** For machines. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
