package org.glmtuner.model;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.glmtuner.storage.DiskSpace;

/**
 * What a weight file was when it was made: size, time of its last change, and a CRC-32C of each
 * piece, in a small file beside it. A rank's start must not wait for 12 GB to be read, so a file
 * that nobody has written to since is known by its first piece, the last one, and some others, each
 * time different ones; one that was touched, by all of them.
 */
final class WeightSums {
  private static final int VERSION = 1;
  private static final int PIECE = 1 << 20;
  private static final int SAMPLES = 30;

  /** Of the sums as text: all but the sums themselves, and of each sum, with its comma. */
  private static final int MOST_HEADER = 128;

  private static final int MOST_DIGITS = 11;

  /** Of usual file systems. */
  private static final int BLOCK = 4096;

  /** As JSON. */
  private record Content(int version, long bytes, long modified, int piece, List<Long> crc32c) {}

  private final Content content;

  private WeightSums(Content content) {
    this.content = content;
  }

  /** Where those of a weight file are. */
  static Path beside(Path file) {
    return file.resolveSibling(file.getFileName() + ".sums");
  }

  /** A bound of the room that a file of so many bytes and its sums take, in whole blocks. */
  static long roomWith(long fileBytes) {
    long pieces = (fileBytes + PIECE - 1) / PIECE;
    return fileBytes + MOST_HEADER + MOST_DIGITS * pieces + 2 * BLOCK;
  }

  /**
   * Reads the whole file and writes its sums beside it.
   *
   * @throws org.glmtuner.failure.TunerException (exit code 3) if the disk is full
   */
  static void make(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      Reader reader = new Reader(channel);
      int pieces = Math.toIntExact((channel.size() + PIECE - 1) / PIECE);
      List<Long> sums = new ArrayList<>(pieces);
      for (int piece = 0; piece < pieces; piece++) {
        sums.add(reader.sum(piece));
      }
      write(file, new Content(VERSION, channel.size(), modified(file), PIECE, sums));
    }
  }

  private static void write(Path file, Content content) throws IOException {
    String text = new Gson().toJson(content);
    try {
      Path temporary =
          Files.createTempFile(file.getParent(), WeightFile.temporaryPrefix(file), ".tmp");
      try {
        Files.writeString(temporary, text);
        Files.move(temporary, beside(file), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      DiskSpace.explain(beside(file), text.length(), e);
      throw e;
    }
  }

  /** Those of a file; none where they are missing or damaged. */
  static Optional<WeightSums> read(Path file) throws IOException {
    if (!Files.exists(beside(file))) {
      return Optional.empty();
    }
    try {
      Content content = new Gson().fromJson(Files.readString(beside(file)), Content.class);
      boolean whole =
          content != null
              && content.version == VERSION
              && content.piece == PIECE
              && content.crc32c != null
              && content.crc32c.size() == (content.bytes + PIECE - 1) / PIECE;
      return whole ? Optional.of(new WeightSums(content)) : Optional.empty();
    } catch (JsonParseException e) {
      return Optional.empty();
    }
  }

  /** Whether the file was not written to since. Its content may be damaged all the same. */
  boolean isUntouched(Path file) throws IOException {
    return Files.size(file) == content.bytes && modified(file) == content.modified;
  }

  /** What is wrong with some pieces of the file, if anything. */
  Optional<String> problemOfSamples(Path file) throws IOException {
    int pieces = content.crc32c.size();
    IntStream others =
        pieces <= SAMPLES
            ? IntStream.range(0, pieces)
            : ThreadLocalRandom.current().ints(SAMPLES, 0, pieces);
    return problem(file, Stream.of(IntStream.of(0, pieces - 1), others).flatMapToInt(s -> s));
  }

  /** What is wrong with the file, if anything. */
  Optional<String> problemOfAll(Path file) throws IOException {
    return problem(file, IntStream.range(0, content.crc32c.size()));
  }

  /**
   * Has a file without {@linkplain #problemOfAll problems} that was only touched count as untouched
   * from now on.
   *
   * @throws org.glmtuner.failure.TunerException (exit code 3) if the disk is full
   */
  void renew(Path file) throws IOException {
    write(file, new Content(VERSION, content.bytes, modified(file), PIECE, content.crc32c));
  }

  private Optional<String> problem(Path file, IntStream pieces) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      if (channel.size() != content.bytes) {
        return Optional.of("it has " + channel.size() + " bytes instead of " + content.bytes);
      }
      Reader reader = new Reader(channel);
      for (int piece : pieces.distinct().toArray()) {
        if (reader.sum(piece) != content.crc32c.get(piece)) {
          return Optional.of(
              "its bytes from " + (long) piece * PIECE + " on are not those that were written");
        }
      }
      return Optional.empty();
    }
  }

  private static long modified(Path file) throws IOException {
    return Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
  }

  /** Sums pieces of a file. */
  private static final class Reader {
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
    private final CRC32C crc = new CRC32C();

    Reader(FileChannel channel) {
      this.channel = channel;
    }

    long sum(int piece) throws IOException {
      long begin = (long) piece * PIECE;
      buffer.clear();
      while (buffer.hasRemaining() && channel.read(buffer, begin + buffer.position()) >= 0) {
        // until the piece is whole or the file ends
      }
      crc.reset();
      crc.update(buffer.flip());
      return crc.getValue();
    }
  }
}
