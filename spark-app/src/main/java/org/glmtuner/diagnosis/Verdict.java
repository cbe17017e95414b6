package org.glmtuner.diagnosis;

import java.util.Locale;

/** What a check came to, from good to bad. */
public enum Verdict {
  OK,
  /** Not checked, for the reason that is said. */
  SKIPPED,
  /** A run works, but worse than it could. */
  WARNING,
  /** A run would stop. */
  PROBLEM;

  /** For people and machines. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
