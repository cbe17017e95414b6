package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.glmtuner.data.FileFormat;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;
import org.glmtuner.driver.RowFiles.Piece;
import org.glmtuner.driver.RowFiles.Row;
import org.glmtuner.storage.HadoopSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PieceRowsTest {
  private static final HadoopSettings LOCAL = HadoopSettings.of(new Configuration());
  private static final MessageType SCHEMA =
      MessageTypeParser.parseMessageType("message rows { required binary content (STRING); }");

  @TempDir Path directory;

  private Piece whole(String name, FileFormat format) throws IOException {
    return new Piece(
        directory.toUri().toString(), name, format, 0, Files.size(directory.resolve(name)), 1);
  }

  private static List<Row> read(List<Piece> pieces) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (Piece piece : pieces) {
      try (PieceRows read = new PieceRows(piece, LOCAL, Set.of("content"))) {
        read.forEachRemaining(rows::add);
      }
    }
    return rows;
  }

  private static String text(Row row) {
    return new String(row.utf8(), StandardCharsets.UTF_8);
  }

  @Test
  void piecesOfParquetGiveAllRowsWithTheirNumbers() throws IOException {
    Path file = directory.resolve("rows");
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
            .withType(SCHEMA)
            .withRowGroupSize(2000L)
            .withMinRowCountForPageSizeCheck(1)
            .build()) {
      for (int i = 1; i <= 500; i++) {
        Group group = new SimpleGroup(SCHEMA);
        writer.write(group.append("content", Integer.toString(i).repeat(20)));
      }
    }
    Piece whole = whole("rows", FileFormat.PARQUET);
    List<Piece> small = PieceRows.split(whole, 1, LOCAL);
    List<Piece> large = PieceRows.split(whole, 5000, LOCAL);
    assertThat(large).hasSizeBetween(2, small.size() - 1);
    assertThat(PieceRows.split(whole, 1 << 20, LOCAL)).containsExactly(whole);
    for (List<Piece> pieces : List.of(small, large)) {
      List<Row> rows = read(pieces);
      assertThat(rows).hasSize(500);
      for (int i = 1; i <= 500; i++) {
        assertThat(rows.get(i - 1).row()).isEqualTo(i);
        assertThat(text(rows.get(i - 1)))
            .isEqualTo("{\"content\":\"" + Integer.toString(i).repeat(20) + "\"}");
      }
    }
  }

  @Test
  void rowsOfCsvCarryTheirLineAndWhatIsWrongWithThem() throws IOException {
    Files.writeString(directory.resolve("rows.csv"), "content,b\n\"1\n2\",3\n4\n5,6\n");
    List<Row> rows = read(PieceRows.split(whole("rows.csv", FileFormat.CSV), 1, LOCAL));
    assertThat(rows).extracting(Row::row).containsExactly(2L, 4L, 5L);
    assertThat(text(rows.get(0))).isEqualTo("{\"content\":\"1\\n2\",\"b\":\"3\"}");
    assertThat(rows.get(1).problem()).isEqualTo("it has 1 fields, the header has 2");
    assertThat(rows.get(1).isBlank()).isFalse();
    assertThat(rows).allSatisfy(row -> assertThat(row.file()).endsWith("/rows.csv"));
  }

  @Test
  void piecesOfLinesGiveAllLines() throws IOException {
    Files.writeString(directory.resolve("rows"), "{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}");
    List<Row> rows = read(PieceRows.split(whole("rows", FileFormat.JSON_LINES), 3, LOCAL));
    assertThat(rows)
        .extracting(PieceRowsTest::text)
        .containsExactly("{\"a\":1}", "", "{\"a\":2}", "{\"a\":3}");
    assertThat(rows.get(1).isBlank()).isTrue();
  }

  @Test
  void anArrayIsOnePiece() throws IOException {
    Files.writeString(directory.resolve("rows"), "[{\"a\":1},{\"a\":2}]");
    List<Row> rows = read(PieceRows.split(whole("rows", FileFormat.JSON_ARRAY), 1, LOCAL));
    assertThat(rows).extracting(PieceRowsTest::text).containsExactly("{\"a\":1}", "{\"a\":2}");
    assertThat(rows).extracting(Row::row).containsExactly(1L, 2L);
  }

  @Test
  void halfASurrogatePairInAnArrayIsNoQuestionMark() throws IOException {
    Files.writeString(
        directory.resolve("rows"),
        "[{\"a\":\"\\ud83d\"},{\"a\":\"\\ud83d\\ude00\"},{\"a\":\"1\\ude00\"}]");
    List<Row> rows = read(PieceRows.split(whole("rows", FileFormat.JSON_ARRAY), 1, LOCAL));
    RowParser<String> texts = RowParser.texts("a");
    assertThat(rows)
        .extracting(row -> row.parse(texts))
        .containsExactly(
            new RowOutcome.Rejected<>("its column a holds half a surrogate pair"),
            new RowOutcome.Accepted<>("\ud83d\ude00"),
            new RowOutcome.Rejected<>("its column a holds half a surrogate pair"));
  }

  @Test
  void aLineWithoutEndIsAMalformedRowAndFillsNoMemory() throws IOException {
    Path file = directory.resolve("rows");
    try (SeekableByteChannel channel =
        Files.newByteChannel(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap("{\"a\":1}\n".getBytes(StandardCharsets.UTF_8)));
      channel.position(200L << 20); // none of it on the disk
      channel.write(ByteBuffer.wrap("\n{\"a\":2}".getBytes(StandardCharsets.UTF_8)));
    }
    List<Row> rows = read(List.of(whole("rows", FileFormat.JSON_LINES)));
    assertThat(rows).extracting(Row::row).containsExactly(1L, 2L, 3L);
    assertThat(rows)
        .extracting(Row::problem)
        .containsExactly(null, "it has more than 64 MiB", null);
  }

  @Test
  void theRowsOfAPieceShareTheNameOfTheirFile() throws IOException {
    Files.writeString(directory.resolve("rows"), "{}\n{}\n");
    List<Row> rows = read(List.of(whole("rows", FileFormat.JSON_LINES)));
    assertThat(rows.get(1).file()).isSameAs(rows.get(0).file());
  }
}
