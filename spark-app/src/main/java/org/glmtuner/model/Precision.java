package org.glmtuner.model;

import java.util.Locale;
import org.glmtuner.checkpoint.DType;

/** What the matrices of the frozen model are stored in. Norms and biases are always FP32. */
public enum Precision {
  /** Half the memory, for training. */
  BF16(DType.BF16),
  /** The source's values exactly, for verification. */
  FP32(DType.F32);

  private final DType matrixType;

  Precision(DType matrixType) {
    this.matrixType = matrixType;
  }

  DType matrixType() {
    return matrixType;
  }

  /** As in the configuration and in file names: {@code bf16}, {@code fp32}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
