package org.glmtuner.data;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import org.apache.parquet.ParquetRuntimeException;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.InitContext;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.glmtuner.failure.TunerException;

/**
 * Rows of a Parquet file, one at a time. An unreadable page ends the reading with a {@link
 * TunerException}, an I/O error with an {@link UncheckedIOException}.
 */
public final class ParquetRows implements Iterator<TableRow>, Closeable {
  private final String location;
  private final MessageType schema;
  private final ParquetReader<Group> reader;
  private long number;
  private Group next;

  ParquetRows(
      InputFile input,
      String location,
      MessageType schema,
      Set<String> columns,
      long start,
      long end,
      long firstRow)
      throws IOException {
    this.location = location;
    this.schema = schema;
    this.number = firstRow;
    List<Type> read =
        schema.getFields().stream().filter(field -> columns.contains(field.getName())).toList();
    this.reader =
        new Builder(input, read.isEmpty() ? schema : new MessageType(schema.getName(), read))
            .withFileRange(start, end)
            .build();
    advance();
  }

  /** Reads records as the generic groups of Parquet's own library. */
  private static final class Builder extends ParquetReader.Builder<Group> {
    private final MessageType read;

    Builder(InputFile input, MessageType read) {
      super(input);
      this.read = read;
    }

    @Override
    protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport() {
        // Not as text in the configuration, whose parser knows no names with blanks.
        @Override
        public ReadContext init(InitContext context) {
          return new ReadContext(read);
        }
      };
    }
  }

  private void advance() {
    try {
      next = reader.read();
    } catch (ParquetRuntimeException e) {
      throw TunerException.damaged(
          "Cannot read " + location + ": row " + number + " or its page is damaged", e);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + location + ": " + e.getMessage(), e);
    }
  }

  @Override
  public boolean hasNext() {
    return next != null;
  }

  @Override
  public TableRow next() {
    if (next == null) {
      throw new NoSuchElementException();
    }
    TableRow row = row(next, number);
    number++;
    advance();
    return row;
  }

  private TableRow row(Group group, long row) {
    JsonObject fields = new JsonObject();
    for (Type column : schema.getFields()) {
      String name = column.getName();
      try {
        fields.add(
            name,
            group.getType().containsField(name)
                ? ParquetJson.field(group, name)
                : JsonNull.INSTANCE);
      } catch (RowException e) {
        return TableRow.unreadable(row, "its column " + name + " " + e.getMessage());
      }
    }
    return TableRow.of(row, fields);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
