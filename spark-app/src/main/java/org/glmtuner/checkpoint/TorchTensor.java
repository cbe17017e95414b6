package org.glmtuner.checkpoint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A tensor as a torch pickle rebuilds it: a view on a storage, which is a record of the archive.
 *
 * @param offset elements of the storage before the tensor's first
 * @param strides elements between neighbours, per dimension
 */
record TorchTensor(Storage storage, long offset, List<Long> shape, List<Long> strides) {

  /**
   * A one-dimensional run of elements.
   *
   * @param key names the record {@code data/<key>}
   */
  record Storage(DType dtype, String key, long elements) {}

  /** Whether its elements lie in row-major order without gaps. */
  boolean isContiguous() {
    List<Long> expected = contiguousStrides(shape);
    if (shape.contains(0L)) {
      return true;
    }
    for (int i = 0; i < shape.size(); i++) {
      if (shape.get(i) != 1 && !strides.get(i).equals(expected.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** The strides of a row-major tensor without gaps. */
  static List<Long> contiguousStrides(List<Long> shape) {
    List<Long> strides = new ArrayList<>();
    long stride = 1;
    for (int i = shape.size() - 1; i >= 0; i--) {
      strides.add(stride);
      stride *= Math.max(1, shape.get(i));
    }
    Collections.reverse(strides);
    return strides;
  }
}
