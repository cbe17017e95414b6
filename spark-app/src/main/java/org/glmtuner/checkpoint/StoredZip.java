package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Writes the zip structure around uncompressed records, front to back, laid out as PyTorch's writer
 * does: every record's bytes start at a multiple of {@value #ALIGNMENT}, so that they can be mapped
 * as tensors; sums and sizes stand in a descriptor behind them and in the directory at the end.
 */
final class StoredZip {
  static final int ALIGNMENT = 64;

  private static final int LOCAL_HEADER = 0x04034b50;
  private static final int DESCRIPTOR = 0x08074b50;
  private static final int DIRECTORY_HEADER = 0x02014b50;
  private static final int DIRECTORY_END_64 = 0x06064b50;
  private static final int DIRECTORY_LOCATOR_64 = 0x07064b50;
  private static final int DIRECTORY_END = 0x06054b50;

  /** A descriptor follows the data; names are UTF-8. */
  private static final short FLAGS = 0x0808;

  /**
   * What PyTorch's zip library says of itself: Unix, version 3.0 of the specification; needs 4.5.
   */
  private static final short MADE_BY = 0x031e;

  private static final short NEEDS = 0x002d;
  private static final long LIMIT_32 = 0xffffffffL;
  private static final int LIMIT_16 = 0xffff;
  private static final short EXTRA_64 = 1;
  private static final short EXTRA_PADDING = 0x4246; // "FB"

  /** Where the bytes go, in order. */
  interface Sink {
    void put(ByteBuffer bytes) throws IOException;
  }

  private record Written(String name, long position, long size, long crc) {}

  private final Sink sink;
  private final List<Written> directory = new ArrayList<>();
  private final CRC32 crc = new CRC32();
  private long position;
  private String name = "";
  private long start;
  private long size;

  StoredZip(Sink sink) {
    this.sink = sink;
  }

  /** Starts a record; the caller then writes its {@code recordBytes} bytes to the sink itself. */
  void begin(String recordName, long recordBytes) throws IOException {
    name = recordName;
    byte[] nameBytes = bytes(name);
    start = position;
    size = recordBytes;
    crc.reset();
    boolean large = size >= LIMIT_32;
    int sizesExtra = large ? 20 : 0;
    long unpadded = position + 30 + nameBytes.length + sizesExtra + 4;
    int padding = Math.floorMod(-unpadded, ALIGNMENT);
    ByteBuffer header = buffer(30 + nameBytes.length + sizesExtra + 4 + padding);
    header.putInt(LOCAL_HEADER).putShort((short) 0).putShort(FLAGS);
    header.putShort((short) 0).putInt(0).putInt(0); // stored; no date; the sum comes later
    header.putInt(large ? -1 : 0).putInt(large ? -1 : 0);
    header
        .putShort((short) nameBytes.length)
        .putShort((short) (sizesExtra + 4 + padding))
        .put(nameBytes);
    if (large) {
      header.putShort(EXTRA_64).putShort((short) 16).putLong(size).putLong(size);
    }
    header.putShort(EXTRA_PADDING).putShort((short) padding);
    while (header.hasRemaining()) {
      header.put((byte) 'Z');
    }
    emit(header);
  }

  /** Sees the record's bytes, piece by piece. */
  void update(ByteBuffer bytes) {
    position += bytes.remaining();
    crc.update(bytes);
  }

  /** Ends the record. */
  void end() throws IOException {
    directory.add(new Written(name, start, size, crc.getValue()));
    ByteBuffer descriptor = buffer(size >= LIMIT_32 ? 24 : 16);
    descriptor.putInt(DESCRIPTOR).putInt((int) crc.getValue());
    if (size >= LIMIT_32) {
      descriptor.putLong(size).putLong(size);
    } else {
      descriptor.putInt((int) size).putInt((int) size);
    }
    emit(descriptor);
  }

  /** Forty digits made of the names and sums so far, as PyTorch marks an archive. */
  String serializationId() {
    long names = 0;
    long sums = 0;
    for (Written record : directory) {
      crc.reset();
      crc.update(bytes(record.name()));
      names = combine(names, crc.getValue());
      sums = combine(sums, record.crc());
    }
    return String.format("%20s%20s", Long.toUnsignedString(names), Long.toUnsignedString(sums))
        .replace(' ', '0');
  }

  private static long combine(long hash, long value) {
    return hash ^ (value + 0x9e3779b9L + (hash << 6) + (hash >>> 2));
  }

  /** Writes the directory. */
  void finish() throws IOException {
    long directoryStart = position;
    for (Written record : directory) {
      emit(directoryHeader(record));
    }
    long directoryBytes = position - directoryStart;
    long directoryEnd = position;
    ByteBuffer end64 = buffer(56 + 20);
    end64.putInt(DIRECTORY_END_64).putLong(44).putShort(MADE_BY).putShort(NEEDS);
    end64.putInt(0).putInt(0).putLong(directory.size()).putLong(directory.size());
    end64.putLong(directoryBytes).putLong(directoryStart);
    end64.putInt(DIRECTORY_LOCATOR_64).putInt(0).putLong(directoryEnd).putInt(1);
    emit(end64);
    ByteBuffer end = buffer(22);
    short count = (short) Math.min(directory.size(), LIMIT_16);
    end.putInt(DIRECTORY_END).putShort((short) 0).putShort((short) 0).putShort(count);
    end.putShort(count).putInt((int) Math.min(directoryBytes, LIMIT_32));
    end.putInt((int) Math.min(directoryStart, LIMIT_32)).putShort((short) 0);
    emit(end);
  }

  private static ByteBuffer directoryHeader(Written record) {
    boolean large = record.size() >= LIMIT_32;
    boolean far = record.position() >= LIMIT_32;
    int extra = (large ? 16 : 0) + (far ? 8 : 0);
    int extraBytes = extra == 0 ? 0 : 4 + extra;
    byte[] name = bytes(record.name());
    ByteBuffer header = buffer(46 + name.length + extraBytes);
    header.putInt(DIRECTORY_HEADER).putShort((short) 0).putShort((short) 0).putShort(FLAGS);
    header.putShort((short) 0).putInt(0).putInt((int) record.crc());
    int shownSize = (int) Math.min(record.size(), LIMIT_32);
    header.putInt(shownSize).putInt(shownSize);
    header.putShort((short) name.length).putShort((short) extraBytes);
    header.putShort((short) 0).putShort((short) 0).putShort((short) 0).putInt(0);
    header.putInt((int) Math.min(record.position(), LIMIT_32)).put(name);
    if (extra > 0) {
      header.putShort(EXTRA_64).putShort((short) extra);
      if (large) {
        header.putLong(record.size()).putLong(record.size());
      }
      if (far) {
        header.putLong(record.position());
      }
    }
    return header;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void emit(ByteBuffer bytes) throws IOException {
    bytes.flip();
    position += bytes.remaining();
    sink.put(bytes);
  }
}
