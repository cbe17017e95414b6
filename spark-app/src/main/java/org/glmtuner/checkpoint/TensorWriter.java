package org.glmtuner.checkpoint;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes a file of tensors front to back. All tensors are declared first; then each is appended
 * piece by piece, in the declared order; then {@link #finish} completes the file. A file that was
 * not finished is not readable.
 *
 * <p>Owns the channel, which needs no positions: it may lead to any file system. Not for several
 * threads at a time.
 */
public abstract class TensorWriter implements Closeable {
  private static final int PIECE_BYTES = 1 << 18;

  private final WritableByteChannel channel;
  private final List<TensorSpec> tensors;
  private final ByteBuffer piece =
      ByteBuffer.allocateDirect(PIECE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private int current;
  private long missingBytes;
  private boolean finished;

  TensorWriter(WritableByteChannel channel, List<TensorSpec> tensors) {
    this.channel = channel;
    this.tensors = List.copyOf(tensors);
    Set<String> names = new HashSet<>();
    for (TensorSpec tensor : tensors) {
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException(
            "Invalid tensors: " + tensor.name() + " (each name once)");
      }
    }
  }

  /** Called by a subclass when everything that precedes the first tensor is written. */
  final void startTensors() throws IOException {
    current = -1;
    nextTensor();
  }

  private void nextTensor() throws IOException {
    do {
      if (current >= 0) {
        endTensor(tensors.get(current));
      }
      current++;
      if (current == tensors.size()) {
        return;
      }
      missingBytes = tensors.get(current).bytes();
      beginTensor(tensors.get(current));
    } while (missingBytes == 0);
  }

  abstract void beginTensor(TensorSpec tensor) throws IOException;

  /** Sees the bytes of the current tensor before they are written; must not move the position. */
  void tensorBytes(ByteBuffer bytes) {}

  abstract void endTensor(TensorSpec tensor) throws IOException;

  abstract void endFile() throws IOException;

  /** Writes all that remains in the buffer. */
  final void put(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /**
   * Appends stored (little-endian) bytes to the tensor, up to the buffer's limit. Appending nothing
   * is always allowed.
   *
   * @throws IllegalStateException if another tensor comes first, or this one would get too long
   */
  public final void append(String name, ByteBuffer bytes) throws IOException {
    if (!bytes.hasRemaining()) {
      return;
    }
    checkNext(name, bytes.remaining());
    missingBytes -= bytes.remaining();
    tensorBytes(bytes.duplicate());
    put(bytes);
    if (missingBytes == 0) {
      nextTensor();
    }
  }

  /** Appends elements to an F32, F16 or BF16 tensor, rounded to its type; else as for bytes. */
  public final void append(String name, float[] values) throws IOException {
    if (values.length == 0) {
      return;
    }
    DType dtype = nextType(name, values.length);
    int step = PIECE_BYTES / dtype.bytes();
    for (int done = 0; done < values.length; done += step) {
      int now = Math.min(step, values.length - done);
      piece.clear();
      dtype.encode(values, done, now, piece);
      append(name, piece.flip());
    }
  }

  /** Appends elements to an I32 tensor; else as for bytes. */
  public final void append(String name, int[] values) throws IOException {
    if (values.length == 0) {
      return;
    }
    if (nextType(name, values.length) != DType.I32) {
      throw new IllegalStateException("Cannot write ints to tensor " + name + ": it is not I32");
    }
    int step = PIECE_BYTES / Integer.BYTES;
    for (int done = 0; done < values.length; done += step) {
      int now = Math.min(step, values.length - done);
      piece.clear().limit(now * Integer.BYTES);
      piece.asIntBuffer().put(values, done, now);
      append(name, piece);
    }
  }

  private DType nextType(String name, int elements) {
    checkNext(name, 0);
    DType dtype = tensors.get(current).dtype();
    checkNext(name, (long) elements * dtype.bytes());
    return dtype;
  }

  private void checkNext(String name, long bytes) {
    if (current == tensors.size() || !tensors.get(current).name().equals(name)) {
      throw new IllegalStateException(
          "Cannot write tensor "
              + name
              + ": "
              + (current == tensors.size()
                  ? "all declared tensors are written"
                  : tensors.get(current).name() + " comes first"));
    }
    if (bytes > missingBytes) {
      throw new IllegalStateException(
          "Cannot write tensor "
              + name
              + ": "
              + bytes
              + " bytes came, "
              + missingBytes
              + " are missing");
    }
  }

  /**
   * Completes the file.
   *
   * @throws IllegalStateException if a declared tensor is not wholly written
   */
  public final void finish() throws IOException {
    if (current != tensors.size()) {
      throw new IllegalStateException(
          "Cannot finish the file: tensor "
              + tensors.get(current).name()
              + " lacks "
              + missingBytes
              + " bytes");
    }
    if (!finished) {
      finished = true;
      endFile();
    }
  }

  /** Closes the channel; does not finish the file. */
  @Override
  public final void close() throws IOException {
    channel.close();
  }
}
