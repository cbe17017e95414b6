package org.glmtuner.data;

import com.google.gson.JsonObject;
import java.io.Closeable;
import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.glmtuner.failure.TunerException;

/**
 * The rows of a CSV file, one at a time, as pandas reads them for the official program: a header
 * line, fields in quotes as in RFC 4180, so that they may hold commas and line breaks, empty lines
 * passed over. Unlike pandas, which fills a short row up and ends at a long one, a row with another
 * number of fields than the header is unreadable; and all fields are texts, {@code NA} too. A row's
 * number is the line it starts in. Owns the stream.
 *
 * <p>Damage that makes the rest of the file unreadable ends the reading with a {@link
 * TunerException}, an I/O error with an {@link UncheckedIOException}.
 */
public final class CsvRows implements Iterator<TableRow>, Closeable {
  private static final int MOST_BYTES_OF_A_ROW = 64 << 20;
  private static final CSVFormat FORMAT = CSVFormat.RFC4180.builder().setTrailingData(true).get();

  /** Ends the search for a closing quote before memory ends. */
  private static final class BoundedReader extends FilterReader {
    private long sinceRow;

    BoundedReader(Reader in) {
      super(in);
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
      int read = super.read(buffer, offset, length);
      sinceRow += read;
      if (sinceRow > MOST_BYTES_OF_A_ROW) {
        throw new CSVException("a row of more than %d bytes", MOST_BYTES_OF_A_ROW);
      }
      return read;
    }
  }

  private final String location;
  private final BoundedReader reader;
  private final CSVParser parser;
  private final Iterator<CSVRecord> records;
  private final List<String> header;
  private long line; // of the record that is next
  private CSVRecord record;

  /**
   * Reads the header.
   *
   * @param location the file's path, for messages
   */
  public CsvRows(InputStream stream, String location) {
    this.location = location;
    try {
      // Byte by byte, so that a field that is not UTF-8 spoils its own row only: the bytes of CSV's
      // syntax are part of no other character.
      this.reader =
          new BoundedReader(
              new InputStreamReader(
                  Utf8.withoutByteOrderMark(stream), StandardCharsets.ISO_8859_1));
      this.parser = CSVParser.builder().setReader(reader).setFormat(FORMAT).get();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + location + ": " + e.getMessage(), e);
    }
    this.records = parser.iterator();
    if (!advance()) {
      throw damaged("it is empty", null);
    }
    this.header = header();
    advance();
  }

  private List<String> header() {
    List<String> names = new ArrayList<>();
    try {
      for (String field : record) {
        String name = decoded(field);
        if (!name.isEmpty() && names.contains(name)) {
          throw damaged("its header names the column " + name + " twice", null);
        }
        names.add(name);
      }
    } catch (CharacterCodingException e) {
      throw damaged("its header is not UTF-8", e);
    }
    return names;
  }

  /** Moves to the next record that is not an empty line. */
  private boolean advance() {
    try {
      do {
        line = parser.getCurrentLineNumber() + 1;
        record = records.hasNext() ? records.next() : null;
        reader.sinceRow = 0;
      } while (record != null && record.size() == 1 && record.get(0).isBlank());
      return record != null;
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof CSVException) {
        throw damaged("the quotes of a field in line " + line + " do not end", e);
      }
      throw new UncheckedIOException(
          "Cannot read " + location + ": " + e.getCause().getMessage(), e.getCause());
    }
  }

  @Override
  public boolean hasNext() {
    return record != null;
  }

  @Override
  public TableRow next() {
    if (record == null) {
      throw new NoSuchElementException();
    }
    TableRow row = row();
    advance();
    return row;
  }

  private TableRow row() {
    if (record.size() != header.size()) {
      return TableRow.unreadable(
          line, "it has " + record.size() + " fields, the header has " + header.size());
    }
    JsonObject fields = new JsonObject();
    for (int i = 0; i < header.size(); i++) {
      try {
        fields.addProperty(header.get(i), decoded(record.get(i)));
      } catch (CharacterCodingException e) {
        return TableRow.unreadable(line, "its column " + header.get(i) + " is not UTF-8");
      }
    }
    return TableRow.of(line, fields);
  }

  private static String decoded(String bytes) throws CharacterCodingException {
    return Utf8.decode(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  private TunerException damaged(String reason, Exception cause) {
    return TunerException.damaged("Cannot read " + location + ": " + reason, cause);
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}
