package org.glmtuner.storage;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.util.List;
import org.glmtuner.failure.TunerException;

/**
 * A directory as its readers see it, on whatever file system. Names are plain file names: one with
 * a separator in it, or one that climbs, is refused by every method with an {@link
 * IllegalArgumentException}. Implementations may be used by several threads; channels may not.
 */
public interface Folder {

  /** Path or URI without a closing slash, as messages show it. */
  String location();

  /** The names of the plain files in it, sorted. */
  List<String> names() throws IOException;

  /** Whether it holds a plain file of this name. */
  boolean contains(String name) throws IOException;

  /** Bytes in the file. */
  long size(String name) throws IOException;

  /** Opens the file for reading; the caller closes the channel. */
  SeekableByteChannel open(String name) throws IOException;

  /** The file's path or URI, as messages show it. */
  default String locate(String name) {
    return location() + "/" + name;
  }

  /**
   * The whole of a small file.
   *
   * @throws TunerException if the file is not there, or has more than {@code limit} bytes
   */
  default byte[] readAll(String name, int limit) throws IOException {
    if (!contains(name)) {
      throw TunerException.damaged("Cannot read " + locate(name) + ": there is no such file");
    }
    long size = size(name);
    if (size > limit) {
      throw TunerException.damaged(
          "Cannot read " + locate(name) + ": it has " + size + " bytes (at most " + limit + ")");
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) size);
    try (SeekableByteChannel channel = open(name)) {
      readFully(channel, bytes);
    } catch (EOFException e) {
      throw TunerException.damaged("Cannot read " + locate(name) + ": it was cut short", e);
    }
    return bytes.array();
  }

  /** Refuses what is not the name of a file in the folder itself. */
  static void checkName(String name) {
    if (name.isEmpty() || name.equals(".") || name.equals("..") || name.contains("/")) {
      throw new IllegalArgumentException("Invalid file name: " + name + " (a plain name)");
    }
  }

  /** Fills {@code target} to its limit from the channel's position. */
  static void readFully(ReadableByteChannel channel, ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      if (channel.read(target) < 0) {
        throw new EOFException(target.remaining() + " bytes are missing");
      }
    }
  }
}
