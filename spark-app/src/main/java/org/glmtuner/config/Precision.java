package org.glmtuner.config;

/** What weights and saved activations are kept in; sums are FP32 in both. */
public enum Precision {
  BF16,
  FP32
}
