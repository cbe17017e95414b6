package org.glmtuner.reference;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.glmtuner.checkpoint.DType;

/**
 * ChatGLM-6B's two-dimensional rotary embedding. The first half of a head turns by the position,
 * the second by the block position; within a half, element i turns with element i + D/4 by the
 * angle position · f(i), f(i) = 10000^(-2i / (D/2)) rounded to FP16 as the official code does.
 */
final class Rotary {
  private final NDArray cosine; // [B, 1, S, D]
  private final NDArray sine; // [B, 1, S, D]

  Rotary(ReferenceBatch batch, int headSize, NDManager manager) {
    int count = batch.positions().length;
    int length = batch.positions()[0].length;
    int quarter = headSize / 4;
    float[] frequencies = frequencies(quarter);
    float[] cosines = new float[count * length * headSize];
    float[] sines = new float[cosines.length];
    int next = 0;
    for (int b = 0; b < count; b++) {
      for (int t = 0; t < length; t++) {
        for (int d = 0; d < headSize; d++) {
          int[][] positions = d < headSize / 2 ? batch.positions() : batch.blockPositions();
          double angle = (double) positions[b][t] * frequencies[d % quarter];
          cosines[next] = (float) Math.cos(angle);
          sines[next] = (float) Math.sin(angle);
          next++;
        }
      }
    }
    Shape shape = new Shape(count, 1, length, headSize);
    cosine = manager.create(cosines, shape);
    sine = manager.create(sines, shape);
  }

  private static float[] frequencies(int quarter) {
    float[] exact = new float[quarter];
    for (int i = 0; i < quarter; i++) {
      exact[i] = (float) (1 / Math.pow(10000, (double) i / quarter));
    }
    ByteBuffer halves =
        ByteBuffer.allocate(quarter * DType.F16.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    DType.F16.encode(exact, 0, quarter, halves);
    float[] rounded = new float[quarter];
    DType.F16.decode(halves.flip(), rounded, 0, quarter);
    return rounded;
  }

  /** Turns queries or keys [B, N, S, D]. */
  NDArray turn(NDArray x) {
    NDList quarters = x.split(4, 3);
    NDArray turned =
        NDArrays.concat(
            new NDList(
                quarters.get(1).neg(), quarters.get(0), quarters.get(3).neg(), quarters.get(2)),
            3);
    return x.mul(cosine).add(turned.mul(sine));
  }
}
