package org.glmtuner.storage;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * The lines that start in a range of a file, so that several tasks can share one: a line that a
 * range's end cuts belongs to the range it starts in. Lines end with a line feed, which is not part
 * of them. Of a line that is longer than {@link #MOST_BYTES} nothing is kept. Owns the channel.
 */
public final class ByteLines implements Iterator<byte[]>, Closeable {
  /** Of a line: more is damage, which would fill the memory. */
  public static final int MOST_BYTES = 64 << 20;

  private static final int BUFFER_BYTES = 1 << 16;

  private final SeekableByteChannel channel;
  private final long end;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
  private final int mostBytes;
  private long position; // of the next byte in the file
  private boolean tooLong;

  /** Reads the lines that start at {@code start} or later and before {@code end}. */
  public ByteLines(SeekableByteChannel channel, long start, long end) throws IOException {
    this(channel, start, end, MOST_BYTES);
  }

  ByteLines(SeekableByteChannel channel, long start, long end, int mostBytes) throws IOException {
    this.mostBytes = mostBytes;
    this.channel = channel;
    this.end = Math.min(end, channel.size());
    this.position = Math.max(0, start - 1);
    channel.position(position);
    if (start > 0) {
      readLine(); // up to the line feed at start - 1 or the first after it: the range before has
      // this line
    }
  }

  @Override
  public boolean hasNext() {
    return position < end;
  }

  /** Whether the line that came last was too long; it came empty then. */
  public boolean isTooLong() {
    return tooLong;
  }

  @Override
  public byte[] next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    try {
      return readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] readLine() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    tooLong = false;
    while (fill()) {
      byte[] bytes = buffer.array();
      int from = buffer.position();
      int to = from;
      while (to < buffer.limit() && bytes[to] != '\n') {
        to++;
      }
      boolean ended = to < buffer.limit();
      buffer.position(ended ? to + 1 : to);
      position += buffer.position() - from;
      if (ended && line.size() == 0 && !tooLong && to - from <= mostBytes) {
        return Arrays.copyOfRange(bytes, from, to);
      }
      tooLong |= to - from > mostBytes - line.size();
      if (tooLong) {
        line = new ByteArrayOutputStream(0);
      } else {
        line.write(bytes, from, to - from);
      }
      if (ended) {
        break;
      }
    }
    return line.toByteArray();
  }

  /** False at the end of the file. */
  private boolean fill() throws IOException {
    if (!buffer.hasRemaining()) {
      buffer.clear();
      int read = channel.read(buffer);
      buffer.flip();
      return read > 0;
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
