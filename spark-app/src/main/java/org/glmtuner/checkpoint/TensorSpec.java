package org.glmtuner.checkpoint;

import java.util.Arrays;
import java.util.List;

/**
 * What a file says of a tensor: its elements lie in row-major order without gaps.
 *
 * @param shape sizes of the dimensions, none negative; empty for a scalar
 */
public record TensorSpec(String name, DType dtype, List<Long> shape) {

  public TensorSpec {
    shape = List.copyOf(shape);
    if (shape.stream().anyMatch(size -> size < 0)) {
      throw new IllegalArgumentException(
          "Invalid shape of tensor " + name + ": " + shape + " (no size below 0)");
    }
    try {
      Math.multiplyExact(product(shape), (long) dtype.bytes());
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "Invalid shape of tensor " + name + ": " + shape + " (at most 2^63 - 1 bytes)", e);
    }
  }

  public static TensorSpec of(String name, DType dtype, long... shape) {
    return new TensorSpec(name, dtype, Arrays.stream(shape).boxed().toList());
  }

  /** Number of elements. */
  public long elements() {
    return product(shape);
  }

  /** Bytes of all elements. */
  public long bytes() {
    return elements() * dtype.bytes();
  }

  private static long product(List<Long> sizes) {
    return sizes.stream().reduce(1L, Math::multiplyExact);
  }
}
