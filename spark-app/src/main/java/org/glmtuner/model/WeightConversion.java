package org.glmtuner.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.SafetensorsLayout;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.TunerException;

/**
 * One conversion. Every source tensor is read front to back, so that disks read ahead and torch
 * archives are checked against their sums; what is permuted is permuted by where it is written.
 */
final class WeightConversion {
  private static final int PIECE = 1 << 18;

  /** From here on the nearest BF16 is infinity. */
  private static final float BF16_LIMIT = 0x1.ffp127f;

  private final OfficialWeights source;
  private final Precision precision;
  private final SafetensorsLayout layout;
  private final FileChannel out;
  private final ProgressListener listener;
  private final float[] values = new float[PIECE];
  private final ByteBuffer encoded = ByteBuffer.allocateDirect(PIECE * Float.BYTES);
  private final CRC32C sum = new CRC32C();
  private long done;

  WeightConversion(
      OfficialWeights source,
      Precision precision,
      SafetensorsLayout layout,
      FileChannel out,
      ProgressListener listener) {
    this.source = source;
    this.precision = precision;
    this.layout = layout;
    this.out = out;
    this.listener = listener;
  }

  void run() throws IOException {
    write(layout.header(), 0);
    long embeddingSum = 0;
    for (ModelTensor tensor : ModelTensor.of(source.config())) {
      sum.reset();
      if (tensor.isQueryKeyValue()) {
        convertQueryKeyValue(tensor);
      } else {
        convert(tensor, 0, tensor.rows(), 0);
      }
      if (tensor.name().equals(ModelTensor.EMBEDDING)) {
        embeddingSum = sum.getValue();
      }
    }
    checkHead(embeddingSum);
  }

  /** Per head, D rows each of queries, keys and values; each goes to its third of the target. */
  private void convertQueryKeyValue(ModelTensor tensor) throws IOException {
    int headSize = source.config().headSize();
    int hidden = source.config().hiddenSize();
    for (int head = 0; head < source.config().numAttentionHeads(); head++) {
      for (int third = 0; third < 3; third++) {
        convert(
            tensor,
            (3L * head + third) * headSize,
            headSize,
            (long) third * hidden + (long) head * headSize);
      }
    }
  }

  /** Moves whole rows; both sides lie in row-major order. */
  private void convert(ModelTensor tensor, long fromRow, long rows, long toRow) throws IOException {
    DType dtype = WeightFile.storedType(tensor, precision);
    TensorFile file = source.file(tensor.name());
    long from = fromRow * tensor.columns();
    long to = layout.position(tensor.name()) + toRow * tensor.columns() * dtype.bytes();
    long count = rows * tensor.columns();
    for (long moved = 0; moved < count; moved += PIECE) {
      int now = (int) Math.min(PIECE, count - moved);
      read(file, tensor.name(), from + moved, now, dtype);
      write(encoded, to + moved * dtype.bytes());
    }
  }

  /** Leaves {@code count} elements in {@link #encoded} and adds them to {@link #sum}. */
  private void read(TensorFile file, String name, long first, int count, DType dtype)
      throws IOException {
    file.readFloats(name, first, values, 0, count);
    float limit = dtype == DType.BF16 ? BF16_LIMIT : Float.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      if (!(Math.abs(values[i]) < limit)) {
        throw TunerException.damaged(
            "Cannot convert tensor "
                + name
                + " of "
                + file.location()
                + ": element "
                + (first + i)
                + " is "
                + values[i]
                + " ("
                + dtype
                + " needs finite values below "
                + limit
                + ")");
      }
    }
    encoded.clear();
    dtype.encode(values, 0, count, encoded);
    sum.update(encoded.flip());
    encoded.rewind();
  }

  private void write(ByteBuffer bytes, long position) throws IOException {
    done += bytes.remaining();
    long next = position;
    while (bytes.hasRemaining()) {
      next += out.write(bytes, next);
    }
    listener.written(done, layout.fileBytes());
  }

  /**
   * The output matrix is not in the file, so it has to be the embedding. Torch archives often store
   * the pair on one storage, otherwise the two are compared by a sum.
   */
  private void checkHead(long embeddingSum) throws IOException {
    if (source.headFile().isEmpty()) {
      return;
    }
    TensorFile head = source.headFile().get();
    TensorFile embedding = source.file(ModelTensor.EMBEDDING);
    if (head.sharesStorage(ModelTensor.HEAD, embedding, ModelTensor.EMBEDDING)) {
      return;
    }
    sum.reset();
    long count = head.get(ModelTensor.HEAD).elements();
    for (long first = 0; first < count; first += PIECE) {
      int now = (int) Math.min(PIECE, count - first);
      read(head, ModelTensor.HEAD, first, now, WeightFile.matrixType(precision));
    }
    if (sum.getValue() != embeddingSum) {
      throw TunerException.damaged(
          "Cannot convert "
              + source.location()
              + ": "
              + ModelTensor.HEAD
              + " of "
              + head.location()
              + " differs from "
              + ModelTensor.EMBEDDING
              + " of "
              + embedding.location()
              + " (ChatGLM-6B has them tied)");
    }
  }
}
