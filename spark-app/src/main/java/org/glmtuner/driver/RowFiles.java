package org.glmtuner.driver;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.glmtuner.config.DataConfig;
import org.glmtuner.data.JsonArrayRows;
import org.glmtuner.data.TextFormat;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.ByteLines;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;

/**
 * The files that a data key names, and their rows in a fixed order: that of the key, then of names,
 * then of the rows in a file.
 */
final class RowFiles {
  private static final long LEAST_PIECE = 1L << 20;
  private static final long MOST_PIECE = 64L << 20;
  private static final int PIECES_PER_SLOT = 3;
  private static final int HEAD_BYTES = 1 << 12;

  /**
   * A range of a file for one task; an array is one piece.
   *
   * @param firstRow number of the piece's first row in its file, from 1
   */
  record Piece(
      String directory, String name, TextFormat format, long start, long end, long firstRow)
      implements Serializable {
    String location() {
      return directory + "/" + name;
    }
  }

  /**
   * The text of a row.
   *
   * @param row its line, or its place in the array, from 1
   */
  record Row(String file, long row, byte[] utf8) implements Serializable {
    boolean isBlank() {
      for (byte b : utf8) {
        if (b != ' ' && b != '\t' && b != '\r') {
          return false;
        }
      }
      return true;
    }
  }

  private final JavaSparkContext context;
  private final HadoopSettings settings;
  private final String key;
  private final List<Piece> pieces;

  private RowFiles(
      JavaSparkContext context, HadoopSettings settings, String key, List<Piece> pieces) {
    this.context = context;
    this.settings = settings;
    this.key = key;
    this.pieces = pieces;
  }

  /**
   * Finds the files.
   *
   * @param key of the configuration, for messages
   * @throws TunerException (exit code 6) where one is missing or of no known format
   */
  static RowFiles find(JavaSparkContext context, HadoopSettings settings, String key, String paths)
      throws IOException {
    List<Piece> files = new ArrayList<>();
    for (String path : paths.split(",", -1)) {
      List<Directory.Located> found = Directory.find(path.strip(), settings);
      if (found.isEmpty()) {
        throw TunerException.damaged(
            "Cannot read "
                + path.strip()
                + ": there is no such file, or nothing in it ("
                + key
                + ")");
      }
      for (Directory.Located file : found) {
        files.add(whole(file.directory(), file.name()));
      }
    }
    long bytes = files.stream().mapToLong(Piece::end).sum();
    long pieceBytes =
        Math.max(
            LEAST_PIECE,
            Math.min(MOST_PIECE, bytes / (PIECES_PER_SLOT * context.defaultParallelism())));
    List<Piece> pieces = new ArrayList<>();
    for (Piece file : files) {
      long size = file.format() == TextFormat.JSON_ARRAY ? file.end() : pieceBytes;
      for (long start = 0; start < file.end(); start += size) {
        pieces.add(
            new Piece(
                file.directory(),
                file.name(),
                file.format(),
                start,
                Math.min(start + size, file.end()),
                1));
      }
    }
    return new RowFiles(context, settings, key, pieces);
  }

  private static Piece whole(Directory directory, String name) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
    try (SeekableByteChannel channel = directory.open(name)) {
      while (head.hasRemaining() && channel.read(head) > 0) {
        // until the head is full or the file ends
      }
    }
    byte[] bytes = new byte[head.flip().limit()];
    head.get(bytes);
    TextFormat format = TextFormat.detect(bytes, directory.locate(name));
    return new Piece(directory.location(), name, format, 0, directory.size(name), 1);
  }

  /** {@code data.format}, with auto resolved by the first row. */
  DataConfig.Format format(DataConfig.Format configured) throws IOException {
    if (configured != DataConfig.Format.AUTO) {
      return configured;
    }
    try (Rows rows = new Rows(pieces.get(0), settings)) {
      while (rows.hasNext()) {
        Row row = rows.next();
        if (!row.isBlank()) {
          return hasTokens(row) ? DataConfig.Format.TOKENS : DataConfig.Format.JSON;
        }
      }
    }
    throw TunerException.damaged(
        "Cannot read " + pieces.get(0).location() + ": it has no rows (" + key + ")");
  }

  private static boolean hasTokens(Row row) {
    try {
      return JsonParser.parseString(new String(row.utf8(), StandardCharsets.UTF_8))
              instanceof JsonObject object
          && object.has("input_ids");
    } catch (JsonParseException e) {
      return false; // reported when the row is read
    }
  }

  /**
   * All rows, in order over the partitions. Lines are counted first, so that every row knows its
   * number.
   */
  JavaRDD<Row> rows() {
    HadoopSettings hadoop = settings;
    List<Long> counts = counts(hadoop);
    Map<String, Long> next = new TreeMap<>();
    List<Piece> numbered = new ArrayList<>();
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      long first = next.getOrDefault(piece.location(), 1L);
      numbered.add(
          new Piece(
              piece.directory(), piece.name(), piece.format(), piece.start(), piece.end(), first));
      next.put(piece.location(), first + counts.get(i));
    }
    return context.parallelize(numbered, numbered.size()).flatMap(piece -> new Rows(piece, hadoop));
  }

  /** Lines of each piece; only those before another piece of the same file are of interest. */
  private List<Long> counts(HadoopSettings hadoop) {
    boolean wholeFiles = pieces.stream().allMatch(piece -> piece.start() == 0);
    return wholeFiles
        ? Collections.nCopies(pieces.size(), 0L)
        : context
            .parallelize(pieces, pieces.size())
            .map(piece -> piece.format() == TextFormat.JSON_ARRAY ? 0L : count(piece, hadoop))
            .collect();
  }

  private static long count(Piece piece, HadoopSettings settings) throws IOException {
    try (Rows rows = new Rows(piece, settings)) {
      long count = 0;
      while (rows.hasNext()) {
        rows.next();
        count++;
      }
      return count;
    }
  }

  /** The rows of a piece; closes its file at the end. */
  private static final class Rows implements Iterator<Row>, AutoCloseable {
    private final Piece piece;
    private final ByteLines lines; // of JSON Lines
    private final JsonArrayRows elements; // of an array
    private long row;

    Rows(Piece piece, HadoopSettings settings) throws IOException {
      this.piece = piece;
      this.row = piece.firstRow();
      SeekableByteChannel channel = Directory.of(piece.directory(), settings).open(piece.name());
      if (piece.format() == TextFormat.JSON_LINES) {
        lines = new ByteLines(channel, piece.start(), piece.end());
        elements = null;
      } else {
        InputStream stream = Channels.newInputStream(channel);
        lines = null;
        elements = new JsonArrayRows(stream, piece.location());
      }
    }

    @Override
    public boolean hasNext() {
      boolean more = lines != null ? lines.hasNext() : elements.hasNext();
      if (!more) {
        close();
      }
      return more;
    }

    @Override
    public Row next() {
      byte[] utf8 =
          lines != null
              ? lines.next()
              : elements.next().element().toString().getBytes(StandardCharsets.UTF_8);
      return new Row(piece.location(), row++, utf8);
    }

    @Override
    public void close() {
      try {
        if (lines != null) {
          lines.close();
        } else {
          elements.close();
        }
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(
            "Cannot close " + piece.location() + ": " + e.getMessage(), e);
      }
    }
  }
}
