package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import org.glmtuner.failure.TunerException;

/**
 * Reads tensors from their first byte to their last, in pieces, and refuses values that are not
 * finite: a copy of them would look as good as any other. Not for several threads at a time.
 */
public final class TensorPass {
  private static final int PIECE_BYTES = 1 << 20;

  /** Takes the bytes as they are stored; the buffer is used again afterwards. */
  @FunctionalInterface
  public interface Sink {
    void accept(ByteBuffer bytes) throws IOException;
  }

  private final ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
  private final LongConsumer progress;

  /**
   * A pass over any number of tensors.
   *
   * @param progress hears of each piece how many bytes it had
   */
  public TensorPass(LongConsumer progress) {
    this.progress = progress;
  }

  /**
   * Reads the tensor.
   *
   * @throws TunerException (exit code 6) where an element is not finite, or as {@link
   *     TensorFile#readBytes}
   */
  public void read(TensorFile file, String name, Sink sink) throws IOException {
    TensorSpec spec = file.get(name);
    for (long first = 0; first < spec.bytes(); first += PIECE_BYTES) {
      piece.clear().limit((int) Math.min(PIECE_BYTES, spec.bytes() - first));
      file.readBytes(name, first, piece);
      piece.flip();
      int bad = spec.dtype().firstNonFinite(piece);
      if (bad >= 0) {
        float[] value = new float[1];
        piece.position(bad * spec.dtype().bytes());
        spec.dtype().decode(piece, value, 0, 1);
        throw notFinite(file, name, first / spec.dtype().bytes() + bad, value[0]);
      }
      int bytes = piece.remaining();
      sink.accept(piece);
      progress.accept(bytes);
    }
  }

  static TunerException notFinite(TensorFile file, String name, long element, float value) {
    return TunerException.damaged(
        "Cannot use tensor "
            + name
            + " of "
            + file.location()
            + ": element "
            + element
            + " is "
            + value
            + " (all must be finite)");
  }
}
