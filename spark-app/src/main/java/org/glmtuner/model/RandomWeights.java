package org.glmtuner.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.SafetensorsLayout;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.config.Precision;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.DiskSpace;

/**
 * Weight files of any shape with random values, to measure with: what a step costs does not depend
 * on the values.
 *
 * <p>Matrices and biases are normal with a deviation of 0.02, norms the same around 1. One block of
 * values is repeated through the file; its length is a prime number, so that no two rows of a
 * matrix are equal.
 */
public final class RandomWeights {
  private static final double DEVIATION = 0.02;
  private static final int BLOCK = 1_048_583;
  private static final int NAME_DIGITS = 16;

  private final Precision precision;
  private final Map<Boolean, float[]> values; // of norms' scales (true) and of all others
  private long position; // in the endless repetition of the block

  private RandomWeights(Precision precision, long seed) {
    this.precision = precision;
    float[] noise = new RandomValues(seed).normal(BLOCK);
    float[] scales = new float[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      noise[i] *= (float) DEVIATION;
      scales[i] = 1 + noise[i];
    }
    this.values = Map.of(true, scales, false, noise);
  }

  /** What stands for the fingerprint of a release: equal for equal files. */
  public static String fingerprint(ChatGlmConfig config, long seed) {
    String content = "random weights, version 1, seed " + seed + ", " + ModelTensor.of(config);
    return Digests.hex(content.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns the weight file of this model and seed, making it if it is not there. Takes a few MB of
   * memory at any size of model.
   *
   * @param cacheDirectory on a local disk of this host
   * @return {@code weights/random-<16 digits of the fingerprint>-<precision>.safetensors} in it
   * @throws org.glmtuner.failure.TunerException (exit code 3) if the disk is too small
   */
  public static Path provide(
      ChatGlmConfig config,
      Precision precision,
      long seed,
      Path cacheDirectory,
      ProgressListener listener)
      throws IOException, InterruptedException {
    String fingerprint = fingerprint(config, seed);
    Map<String, String> metadata = WeightFile.metadata(fingerprint, precision);
    List<TensorSpec> tensors = WeightFile.tensors(config, precision);
    return WeightCache.provide(
        "random-" + fingerprint.substring(0, NAME_DIGITS) + "-" + precision.label(),
        cacheDirectory,
        file -> WeightFile.problem(file, metadata, tensors),
        file -> {
          SafetensorsLayout all = WeightFile.layout(tensors, metadata);
          DiskSpace.require(file, WeightSums.roomWith(all.fileBytes()));
          WeightFile.write(
              all,
              file,
              (layout, out) ->
                  new RandomWeights(precision, seed).write(tensors, layout, out, listener));
        },
        listener);
  }

  private void write(
      List<TensorSpec> tensors,
      SafetensorsLayout layout,
      FileChannel out,
      ProgressListener listener)
      throws IOException {
    ByteBuffer header = layout.header();
    while (header.hasRemaining()) {
      out.write(header);
    }
    ByteBuffer scales = encode(true, DType.F32);
    ByteBuffer vectors = encode(false, DType.F32);
    ByteBuffer matrices = encode(false, WeightFile.matrixType(precision));
    for (TensorSpec tensor : tensors) { // in the order of the file, one behind the other
      boolean scale = tensor.name().endsWith("layernorm.weight");
      boolean matrix = tensor.shape().size() == 2;
      write(tensor, scale ? scales : matrix ? matrices : vectors, out);
      listener.written(out.position(), layout.fileBytes());
    }
  }

  private ByteBuffer encode(boolean scales, DType dtype) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(BLOCK * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    dtype.encode(values.get(scales), 0, BLOCK, bytes);
    return bytes.clear();
  }

  private void write(TensorSpec tensor, ByteBuffer block, FileChannel out) throws IOException {
    int size = tensor.dtype().bytes();
    long left = tensor.elements();
    while (left > 0) {
      int from = (int) (position % BLOCK);
      int count = (int) Math.min(left, BLOCK - from);
      ByteBuffer piece = block.slice(from * size, count * size);
      while (piece.hasRemaining()) {
        out.write(piece);
      }
      position += count;
      left -= count;
    }
  }
}
