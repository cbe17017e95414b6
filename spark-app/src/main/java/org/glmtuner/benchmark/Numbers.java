package org.glmtuner.benchmark;

import java.math.BigDecimal;
import java.math.MathContext;

/** Measured values as they are printed. */
final class Numbers {
  private static final MathContext DIGITS = new MathContext(6);

  private Numbers() {}

  /** To six significant digits. */
  static double rounded(double value) {
    return Double.isFinite(value) ? new BigDecimal(value).round(DIGITS).doubleValue() : value;
  }
}
