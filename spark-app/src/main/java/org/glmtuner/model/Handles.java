package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;

/**
 * The native address of a DJL array, for native code that works on it in place. The array must stay
 * open meanwhile.
 */
public final class Handles {
  private Handles() {}

  public static long of(NDArray array) {
    return ((PtNDArray) array).getHandle();
  }
}
