package org.glmtuner.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.SeekableInputStream;
import org.apache.parquet.schema.MessageType;
import org.glmtuner.failure.TunerException;

/** A Parquet file, whose groups of rows may be read by several tasks. Holds nothing open. */
public final class ParquetFile {

  /** Opens the file. */
  @FunctionalInterface
  public interface Source {
    /** A channel on its bytes, for the caller to close. */
    SeekableByteChannel open() throws IOException;
  }

  /**
   * A group of rows.
   *
   * @param start of its bytes in the file
   * @param end of its bytes; the start of the next
   * @param firstRow number of its first row, from 1
   */
  public record RowGroup(long start, long end, long firstRow) {}

  private final Source source;
  private final String location;

  /**
   * @param location its path, for messages
   */
  public ParquetFile(Source source, String location) {
    this.source = source;
    this.location = location;
  }

  /**
   * The file's groups of rows in their order; none in a file without rows.
   *
   * @throws TunerException if its footer cannot be read
   */
  public List<RowGroup> rowGroups() throws IOException {
    try (ParquetFileReader reader = open()) {
      List<BlockMetaData> blocks = reader.getRowGroups();
      List<RowGroup> groups = new ArrayList<>();
      long row = 1;
      for (int i = 0; i < blocks.size(); i++) {
        long end = i + 1 < blocks.size() ? blocks.get(i + 1).getStartingPos() : input().getLength();
        groups.add(new RowGroup(blocks.get(i).getStartingPos(), end, row));
        row += blocks.get(i).getRowCount();
      }
      return groups;
    }
  }

  /**
   * The rows of the groups whose bytes are between {@code start} and {@code end}.
   *
   * @param firstRow the number of the first of them
   * @param columns that are read; others hold null
   */
  public ParquetRows rows(long start, long end, long firstRow, Set<String> columns)
      throws IOException {
    MessageType schema;
    try (ParquetFileReader reader = open()) {
      schema = reader.getFileMetaData().getSchema();
    }
    return new ParquetRows(input(), location, schema, columns, start, end, firstRow);
  }

  private ParquetFileReader open() throws IOException {
    try {
      return ParquetFileReader.open(input());
    } catch (RuntimeException e) {
      throw TunerException.damaged(
          "Cannot read " + location + ": it is not Parquet, or was cut short", e);
    }
  }

  private InputFile input() {
    return new InputFile() {
      @Override
      public long getLength() throws IOException {
        try (SeekableByteChannel channel = source.open()) {
          return channel.size();
        }
      }

      @Override
      public SeekableInputStream newStream() throws IOException {
        SeekableByteChannel channel = source.open();
        InputStream stream = Channels.newInputStream(channel); // closes the channel
        return new DelegatingSeekableInputStream(stream) {
          @Override
          public long getPos() throws IOException {
            return channel.position();
          }

          @Override
          public void seek(long position) throws IOException {
            channel.position(position);
          }
        };
      }

      @Override
      public String toString() {
        return location;
      }
    };
  }
}
