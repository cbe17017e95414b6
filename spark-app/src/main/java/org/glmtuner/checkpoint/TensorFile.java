package org.glmtuner.checkpoint;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.CRC32;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Folder;

/**
 * The tensors of one open file, read piece by piece: no tensor is ever in memory as a whole. The
 * file's directory has been checked when {@link #open} returns; a tensor of a torch archive is
 * checked against its CRC-32 when it was read from its first byte to its last without a step back.
 *
 * <p>Owns the channel. Not for several threads at a time.
 */
public final class TensorFile implements Closeable {
  private static final int PIECE_BYTES = 1 << 18;
  private static final byte[] LFS_POINTER =
      "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);

  /** A tensor's place in the file; {@code crc} is of its bytes, or absent. */
  record Extent(TensorSpec spec, long position, Optional<Long> crc) {}

  private final String location;
  private final SeekableByteChannel channel;
  private final Map<String, String> metadata;
  private final Map<String, Extent> extents;
  private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
  private final CRC32 crc = new CRC32();
  private String crcTensor = "";
  private long crcBytes;

  TensorFile(
      String location,
      SeekableByteChannel channel,
      Map<String, String> metadata,
      Map<String, Extent> extents) {
    this.location = location;
    this.channel = channel;
    this.metadata = Map.copyOf(metadata);
    this.extents = Collections.unmodifiableMap(new LinkedHashMap<>(extents));
  }

  /**
   * Opens a safetensors file or a torch archive; the first bytes tell which it is.
   *
   * @throws TunerException if the file is missing, damaged, of another kind, or would run code
   */
  public static TensorFile open(Folder folder, String name) throws IOException {
    String location = folder.locate(name);
    if (!folder.contains(name)) {
      throw TunerException.damaged("Cannot read " + location + ": there is no such file");
    }
    SeekableByteChannel channel = folder.open(name);
    try {
      return parse(location, channel);
    } catch (IOException | RuntimeException | Error e) {
      try {
        channel.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private static TensorFile parse(String location, SeekableByteChannel channel) throws IOException {
    byte[] head = new byte[(int) Math.min(LFS_POINTER.length, channel.size())];
    Folder.readFully(channel, ByteBuffer.wrap(head));
    if (startsWith(head, LFS_POINTER)) {
      throw TunerException.damaged(
          "Cannot read " + location + ": it is a Git LFS pointer to the file (run: git lfs pull)");
    }
    if (startsWith(head, new byte[] {'P', 'K'})) {
      return TorchArchiveReader.read(location, channel);
    }
    if (startsWith(head, new byte[] {(byte) 0x80, 2})) {
      throw TunerException.damaged(
          "Cannot read "
              + location
              + ": PyTorch before 1.6 wrote it (load it and save it again with a later one)");
    }
    return SafetensorsReader.read(location, channel);
  }

  private static boolean startsWith(byte[] head, byte[] start) {
    return head.length >= start.length
        && Arrays.equals(head, 0, start.length, start, 0, start.length);
  }

  /** The file's path or URI, as messages show it. */
  public String location() {
    return location;
  }

  /** The file's own name. */
  public String name() {
    return location.substring(location.lastIndexOf('/') + 1);
  }

  /** What a safetensors file says of itself; empty for a torch archive. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** All tensors, in the order of the file's directory. */
  public Collection<TensorSpec> tensors() {
    return extents.values().stream().map(Extent::spec).toList();
  }

  public Optional<TensorSpec> find(String name) {
    return Optional.ofNullable(extents.get(name)).map(Extent::spec);
  }

  /**
   * As {@link #find}, for a tensor that has to be there.
   *
   * @throws TunerException if it is not
   */
  public TensorSpec get(String name) {
    return extent(name).spec();
  }

  /** Whether the tensor is the very same bytes of the same file as the other one. */
  public boolean sharesStorage(String name, TensorFile other, String otherName) {
    return this == other
        && position(name) == position(otherName)
        && get(name).bytes() == get(otherName).bytes();
  }

  /** Where the tensor's bytes start in the file. */
  long position(String name) {
    return extent(name).position();
  }

  /**
   * Fills {@code target} with the tensor's stored bytes from {@code firstByte} on.
   *
   * @throws IndexOutOfBoundsException if the tensor has no such bytes
   * @throws TunerException if the file was cut short or its CRC-32 is another
   */
  public void readBytes(String name, long firstByte, ByteBuffer target) throws IOException {
    Extent extent = extent(name);
    Objects.checkFromIndexSize(firstByte, (long) target.remaining(), extent.spec().bytes());
    int start = target.position();
    channel.position(extent.position() + firstByte);
    try {
      Folder.readFully(channel, target);
    } catch (EOFException e) {
      throw TunerException.damaged(
          "Cannot read tensor " + name + " of " + location + ": the file was cut short", e);
    }
    if (extent.crc().isPresent()) {
      check(extent, firstByte, target.duplicate().position(start).limit(target.position()));
    }
  }

  private void check(Extent extent, long firstByte, ByteBuffer read) {
    if (firstByte == 0) {
      crcTensor = extent.spec().name();
      crcBytes = 0;
      crc.reset();
    }
    if (!crcTensor.equals(extent.spec().name()) || crcBytes != firstByte) {
      crcTensor = "";
      return;
    }
    crcBytes += read.remaining();
    crc.update(read);
    if (crcBytes == extent.spec().bytes() && crc.getValue() != extent.crc().orElseThrow()) {
      throw TunerException.damaged(
          String.format(
              "Cannot read tensor %s of %s: its bytes have the CRC-32 %08x (the archive says %08x)",
              extent.spec().name(), location, crc.getValue(), extent.crc().orElseThrow()));
    }
  }

  /**
   * Reads {@code count} elements from element {@code first} on (row-major) as floats.
   *
   * @throws TunerException if the tensor is not of a floating type, or as {@link #readBytes}
   */
  public void readFloats(String name, long first, float[] target, int offset, int count)
      throws IOException {
    DType dtype = extent(name).spec().dtype();
    if (!dtype.isFloat()) {
      throw TunerException.damaged(
          "Cannot read tensor "
              + name
              + " of "
              + location
              + ": it is "
              + dtype
              + " (F32, F16 or BF16 is needed)");
    }
    int done = 0;
    while (done < count) {
      int now = Math.min(count - done, PIECE_BYTES / dtype.bytes());
      piece.clear().limit(now * dtype.bytes());
      readBytes(name, (first + done) * dtype.bytes(), piece);
      dtype.decode(piece.flip(), target, offset + done, now);
      done += now;
    }
  }

  /** The whole of a small tensor as floats. */
  public float[] readFloats(String name) throws IOException {
    float[] values = new float[Math.toIntExact(get(name).elements())];
    readFloats(name, 0, values, 0, values.length);
    return values;
  }

  private Extent extent(String name) {
    Extent extent = extents.get(name);
    if (extent == null) {
      throw TunerException.damaged("Cannot read " + location + ": it has no tensor " + name);
    }
    return extent;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
