package org.glmtuner.placement;

import java.util.Locale;

/** Amounts of memory for people. */
final class Bytes {
  private static final double GIGA = 1e9;

  private Bytes() {}

  /** As {@code 12.35 GB}. */
  static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.2f GB", bytes / GIGA);
  }
}
