package org.glmtuner.nativeddp;

/** The message shape of values that cannot be right. */
final class Checks {
  private Checks() {}

  /**
   * Throws {@link IllegalArgumentException} "Invalid WHAT: VALUE (RULE)" unless the condition
   * holds.
   */
  static void check(boolean holds, String what, Object value, String rule) {
    if (!holds) {
      throw invalid(what, value, rule);
    }
  }

  /** "Invalid WHAT: VALUE (RULE)" */
  static IllegalArgumentException invalid(String what, Object value, String rule) {
    return new IllegalArgumentException("Invalid " + what + ": " + value + " (" + rule + ")");
  }
}
