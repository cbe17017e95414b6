package org.glmtuner.driver;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.glmtuner.config.DataConfig;
import org.glmtuner.data.FileFormat;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;
import org.glmtuner.failure.TunerException;
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
   * A range of a file for one task: lines, or groups of rows of Parquet; other files are one piece.
   *
   * @param firstRow number of the piece's first row in its file, from 1
   */
  record Piece(
      String directory, String name, FileFormat format, long start, long end, long firstRow)
      implements Serializable {
    String location() {
      return directory + (directory.endsWith("/") ? "" : "/") + name;
    }
  }

  /**
   * A row as an object in JSON.
   *
   * @param row the line where it starts, or its place in the array or table, from 1
   * @param problem why the row cannot be read, else null
   */
  record Row(String file, long row, byte[] utf8, String problem) implements Serializable {

    /** What {@code parser} makes of it. */
    <T> RowOutcome<T> parse(RowParser<T> parser) {
      return problem == null ? parser.parse(row, utf8) : new RowOutcome.Rejected<>(problem);
    }

    /** Whether it is an empty line. */
    boolean isBlank() {
      if (problem != null) {
        return false;
      }
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
  private final DataConfig data;
  private final String key;
  private final List<Piece> pieces;

  private RowFiles(
      JavaSparkContext context,
      HadoopSettings settings,
      DataConfig data,
      String key,
      List<Piece> pieces) {
    this.context = context;
    this.settings = settings;
    this.data = data;
    this.key = key;
    this.pieces = pieces;
  }

  /**
   * Finds the files.
   *
   * @param key of the configuration, for messages
   * @throws TunerException (exit code 6) where one is missing or not of the configured format, or a
   *     path has nothing but empty files
   */
  static RowFiles find(
      JavaSparkContext context, HadoopSettings settings, DataConfig data, String key, String paths)
      throws IOException {
    List<Piece> files = new ArrayList<>();
    for (String path : split(paths)) {
      List<Directory.Located> found = Directory.find(path, key, settings);
      if (found.isEmpty()) {
        throw TunerException.damaged(
            "Cannot read " + path + ": there is no such file, or nothing in it (" + key + ")");
      }
      int before = files.size();
      for (Directory.Located file : found) {
        long size = file.directory().size(file.name());
        if (size > 0) { // a part that a job had no rows for
          files.add(whole(file, size, data.format()));
        }
      }
      if (files.size() == before) {
        throw TunerException.damaged(
            "Cannot read "
                + path
                + ": it "
                + (("/" + path).endsWith("/" + found.get(0).name())
                    ? "is empty"
                    : "has nothing but empty files")
                + " ("
                + key
                + ")");
      }
    }
    long bytes = files.stream().mapToLong(Piece::end).sum();
    long pieceBytes =
        Math.max(
            LEAST_PIECE,
            Math.min(MOST_PIECE, bytes / (PIECES_PER_SLOT * context.defaultParallelism())));
    List<Piece> pieces = new ArrayList<>();
    for (Piece file : files) {
      pieces.addAll(PieceRows.split(file, pieceBytes, settings));
    }
    return new RowFiles(context, settings, data, key, pieces);
  }

  /** The paths between commas, but those in the braces of a glob, or behind a backslash. */
  static List<String> split(String paths) {
    List<String> split = new ArrayList<>();
    int depth = 0;
    int start = 0;
    for (int i = 0; i < paths.length(); i++) {
      switch (paths.charAt(i)) {
        case '\\' -> i++;
        case '{' -> depth++;
        case '}' -> depth = Math.max(0, depth - 1);
        case ',' -> {
          if (depth == 0) {
            split.add(paths.substring(start, i).strip());
            start = i + 1;
          }
        }
        default -> {
          // part of a path
        }
      }
    }
    split.add(paths.substring(start).strip());
    return split;
  }

  private static Piece whole(Directory.Located file, long size, DataConfig.Format format)
      throws IOException {
    Directory directory = file.directory();
    String name = file.name();
    ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
    try (SeekableByteChannel channel = directory.open(name)) {
      while (head.hasRemaining() && channel.read(head) > 0) {
        // until the head is full or the file ends
      }
    }
    byte[] bytes = new byte[head.flip().limit()];
    head.get(bytes);
    FileFormat detected = FileFormat.detect(bytes, directory.locate(name), format);
    return new Piece(directory.location(), name, detected, 0, size, 1);
  }

  /** The columns that rows are made of, whatever {@code data.format} is. */
  private static Set<String> columns(DataConfig data) {
    Set<String> columns = new TreeSet<>(Set.of("input_ids", "labels"));
    columns.addAll(
        List.of(data.columns().prompt(), data.columns().response(), data.columns().history()));
    return columns;
  }

  /** Whether rows hold tokens: {@code data.format}, or with auto the first row. */
  boolean haveTokens() throws IOException {
    if (data.format() != DataConfig.Format.AUTO) {
      return data.format() == DataConfig.Format.TOKENS;
    }
    for (Piece piece : pieces) {
      try (PieceRows rows = new PieceRows(piece, settings, columns(data))) {
        while (rows.hasNext()) {
          Row row = rows.next();
          if (!row.isBlank()) {
            return row.problem() == null && hasTokens(row);
          }
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
    Set<String> columns = columns(data);
    List<Long> counts = counts(hadoop);
    Map<String, Long> lines = new TreeMap<>();
    List<Piece> numbered = new ArrayList<>();
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      if (piece.format() == FileFormat.JSON_LINES) {
        long before = lines.getOrDefault(piece.location(), 0L);
        lines.put(piece.location(), before + counts.get(i));
        piece =
            new Piece(
                piece.directory(),
                piece.name(),
                piece.format(),
                piece.start(),
                piece.end(),
                before + 1);
      }
      numbered.add(piece);
    }
    return context
        .parallelize(numbered, numbered.size())
        .flatMap(piece -> TaskEnd.close(new PieceRows(piece, hadoop, columns)));
  }

  /** Lines of each piece; only those before another piece of the same file are of interest. */
  private List<Long> counts(HadoopSettings hadoop) {
    boolean known =
        pieces.stream()
            .allMatch(piece -> piece.start() == 0 || piece.format() != FileFormat.JSON_LINES);
    return known
        ? Collections.nCopies(pieces.size(), 0L)
        : context
            .parallelize(pieces, pieces.size())
            .map(piece -> piece.format() == FileFormat.JSON_LINES ? count(piece, hadoop) : 0L)
            .collect();
  }

  private static long count(Piece piece, HadoopSettings settings) throws IOException {
    try (PieceRows rows = new PieceRows(piece, settings, Set.of())) {
      long count = 0;
      while (rows.hasNext()) {
        rows.next();
        count++;
      }
      return count;
    }
  }
}
