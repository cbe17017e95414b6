package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of an FP32 array, for reading and writing in place: a prefix may be larger than the
 * Java heap, and a tensor of the projected encoder than any one byte buffer.
 */
public final class ArrayMemory {
  private static final long PIECE_ELEMENTS = 1L << 26;

  private ArrayMemory() {}

  /**
   * Little-endian, in the order of the elements; what is put there is in the array. Valid as long
   * as the array is.
   *
   * @param array contiguous
   */
  public static List<ByteBuffer> pieces(NDArray array) {
    return pieces(array, PIECE_ELEMENTS);
  }

  static List<ByteBuffer> pieces(NDArray array, long pieceElements) {
    List<ByteBuffer> pieces = new ArrayList<>();
    long size = array.size();
    try (NDArray flat = array.reshape(size)) {
      for (long first = 0; first < size; first += pieceElements) {
        long end = Math.min(size, first + pieceElements);
        try (NDArray piece = flat.get(new NDIndex("{}:{}", first, end))) {
          pieces.add(piece.toByteBuffer(true).order(ByteOrder.LITTLE_ENDIAN));
        }
      }
    }
    return pieces;
  }
}
