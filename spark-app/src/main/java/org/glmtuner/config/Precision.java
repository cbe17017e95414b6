package org.glmtuner.config;

import java.util.Locale;

/** What the matrices of the frozen model and the saved activations are kept in. */
public enum Precision {
  /** Half the memory, for training; sums are FP32. */
  BF16,
  /** The source's values exactly, for verification. */
  FP32;

  /** As in the configuration and in file names: {@code bf16}, {@code fp32}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
