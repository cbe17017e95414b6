package org.glmtuner.driver;

import com.google.gson.JsonElement;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.glmtuner.data.CsvRows;
import org.glmtuner.data.JsonArrayRows;
import org.glmtuner.data.ParquetFile;
import org.glmtuner.data.ParquetRows;
import org.glmtuner.data.TableRow;
import org.glmtuner.driver.RowFiles.Piece;
import org.glmtuner.driver.RowFiles.Row;
import org.glmtuner.storage.ByteLines;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;

/** The rows of a piece of a file in their order; closes the file at their end. */
final class PieceRows implements Iterator<Row>, AutoCloseable {
  /** Patterns see whole pairs as one character. */
  private static final Pattern HALF_PAIR = Pattern.compile("[\\x{d800}-\\x{dfff}]");

  private final String location; // one text that all rows share
  private final Iterator<?> source;
  private final Closeable file;
  private final Supplier<Row> reader;
  private long row;
  private boolean closed;

  /**
   * Opens the file.
   *
   * @param columns that are read where a format can leave out others
   */
  PieceRows(Piece piece, HadoopSettings settings, Set<String> columns) throws IOException {
    this.location = piece.location();
    this.row = piece.firstRow();
    Directory directory = Directory.of(piece.directory(), settings);
    switch (piece.format()) {
      case JSON_LINES -> {
        ByteLines lines = new ByteLines(directory.open(piece.name()), piece.start(), piece.end());
        source = lines;
        file = lines;
        reader = () -> row(lines);
      }
      case JSON_ARRAY -> {
        SeekableByteChannel channel = directory.open(piece.name());
        JsonArrayRows elements = new JsonArrayRows(Channels.newInputStream(channel), location);
        source = elements;
        file = elements;
        reader = () -> new Row(location, row++, utf8(elements.next().element()), null);
      }
      case CSV -> {
        SeekableByteChannel channel = directory.open(piece.name());
        CsvRows table = new CsvRows(Channels.newInputStream(channel), location);
        source = table;
        file = table;
        reader = () -> row(table.next());
      }
      case PARQUET -> {
        ParquetRows table =
            parquet(piece, directory).rows(piece.start(), piece.end(), piece.firstRow(), columns);
        source = table;
        file = table;
        reader = () -> row(table.next());
      }
      default -> throw new IllegalStateException("Invalid format: " + piece.format());
    }
  }

  private Row row(ByteLines lines) {
    byte[] line = lines.next();
    String problem =
        lines.isTooLong() ? "it has more than " + (ByteLines.MOST_BYTES >> 20) + " MiB" : null;
    return new Row(location, row++, line, problem);
  }

  private Row row(TableRow table) {
    return new Row(
        location,
        table.number(),
        table.problem() == null ? utf8(table.fields()) : new byte[0],
        table.problem());
  }

  /** Half a surrogate pair stays one, as an escape, for the parser to find. */
  private static byte[] utf8(JsonElement element) {
    return HALF_PAIR
        .matcher(element.toString())
        .replaceAll(half -> String.format("\\\\u%04x", (int) half.group().charAt(0)))
        .getBytes(StandardCharsets.UTF_8);
  }

  private static ParquetFile parquet(Piece piece, Directory directory) {
    return new ParquetFile(() -> directory.open(piece.name()), piece.location());
  }

  /** {@code file} in pieces of about {@code pieceBytes}, as far as its format has borders. */
  static List<Piece> split(Piece file, long pieceBytes, HadoopSettings settings)
      throws IOException {
    return switch (file.format()) {
      case JSON_ARRAY, CSV -> List.of(file);
      case JSON_LINES -> {
        List<Piece> pieces = new ArrayList<>();
        for (long start = 0; start < file.end(); start += pieceBytes) {
          pieces.add(part(file, start, Math.min(start + pieceBytes, file.end()), 1));
        }
        yield pieces;
      }
      case PARQUET -> {
        Directory directory = Directory.of(file.directory(), settings);
        List<Piece> pieces = new ArrayList<>();
        long start = 0;
        long firstRow = 1;
        for (ParquetFile.RowGroup group : parquet(file, directory).rowGroups()) {
          if (group.start() - start >= pieceBytes) {
            pieces.add(part(file, start, group.start(), firstRow));
            start = group.start();
            firstRow = group.firstRow();
          }
        }
        pieces.add(part(file, start, file.end(), firstRow));
        yield pieces;
      }
    };
  }

  private static Piece part(Piece file, long start, long end, long firstRow) {
    return new Piece(file.directory(), file.name(), file.format(), start, end, firstRow);
  }

  @Override
  public boolean hasNext() {
    boolean more = source.hasNext();
    if (!more) {
      close();
    }
    return more;
  }

  @Override
  public Row next() {
    return reader.get();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot close " + location + ": " + e.getMessage(), e);
    }
  }
}
