package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParquetRowsTest {
  private static final MessageType TEXTS =
      MessageTypeParser.parseMessageType(
          "message rows { optional binary content (STRING); optional binary summary (STRING); }");

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void chooseFile() {
    file = directory.resolve("rows.parquet");
  }

  private ParquetFile parquet() {
    return new ParquetFile(() -> Files.newByteChannel(file), "F");
  }

  private void write(MessageType schema, List<Consumer<Group>> rows) throws IOException {
    write(schema, 128 << 20, rows);
  }

  private void write(MessageType schema, long rowGroupBytes, List<Consumer<Group>> rows)
      throws IOException {
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
            .withType(schema)
            .withRowGroupSize(rowGroupBytes)
            .withMinRowCountForPageSizeCheck(1)
            .build()) {
      for (Consumer<Group> row : rows) {
        SimpleGroup group = new SimpleGroup(schema);
        row.accept(group);
        writer.write(group);
      }
    }
  }

  private List<String> read(String... columns) throws IOException {
    return read(0, Files.size(file), 1, columns);
  }

  private List<String> read(long start, long end, long firstRow, String... columns)
      throws IOException {
    List<String> read = new ArrayList<>();
    try (ParquetRows rows = parquet().rows(start, end, firstRow, Set.of(columns))) {
      while (rows.hasNext()) {
        TableRow row = rows.next();
        read.add(row.number() + " " + (row.problem() == null ? row.fields() : row.problem()));
      }
    }
    return read;
  }

  @Test
  void readsColumnsWhateverTheirNames() throws IOException {
    MessageType schema =
        Types.buildMessage()
            .optional(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .named("the content (text); 内容")
            .optional(PrimitiveTypeName.BINARY)
            .named("other column")
            .named("my rows");
    write(schema, List.of(row -> row.append("the content (text); 内容", "裤")));
    assertThat(read("the content (text); 内容"))
        .containsExactly("1 {\"the content (text); 内容\":\"裤\",\"other column\":null}");
  }

  @Test
  void readsTextsAndNulls() throws IOException {
    write(
        TEXTS,
        List.of(
            row -> row.append("content", "类型#裤").append("summary", "宽松"),
            row -> row.append("content", "a")));
    assertThat(read("content", "summary"))
        .containsExactly(
            "1 {\"content\":\"类型#裤\",\"summary\":\"宽松\"}",
            "2 {\"content\":\"a\",\"summary\":null}");
  }

  @Test
  void namesColumnsThatItLeavesOut() throws IOException {
    write(TEXTS, List.of(row -> row.append("content", "a").append("summary", "b")));
    assertThat(read("content")).containsExactly("1 {\"content\":\"a\",\"summary\":null}");
    assertThat(read("other")).hasSize(1);
  }

  @Test
  void readsListsOfListsAndOfStructs() throws IOException {
    MessageType schema =
        MessageTypeParser.parseMessageType(
            """
            message rows {
              optional group pairs (LIST) { repeated group list { optional group element (LIST) {
                repeated group list { optional binary element (STRING); } } } }
              optional group structs (LIST) { repeated group bag { optional group item {
                optional binary q (STRING); optional binary r (STRING); } } }
              optional group old (LIST) { repeated binary array (STRING); }
              optional group ids (LIST) { repeated group list { required int32 element; } }
            }
            """);
    write(
        schema,
        List.of(
            row -> {
              Group pairs = row.addGroup("pairs");
              for (String turn : List.of("ab", "cd")) {
                Group pair = pairs.addGroup("list").addGroup("element");
                pair.addGroup("list").append("element", turn.substring(0, 1));
                pair.addGroup("list").append("element", turn.substring(1));
              }
              row.addGroup("structs")
                  .addGroup("bag")
                  .addGroup("item")
                  .append("q", "e")
                  .append("r", "f");
              row.addGroup("old").append("array", "g").append("array", "h");
              row.addGroup("ids").addGroup("list").append("element", 7);
            },
            row -> row.addGroup("pairs")));
    assertThat(read("pairs", "structs", "old", "ids"))
        .containsExactly(
            "1 {\"pairs\":[[\"a\",\"b\"],[\"c\",\"d\"]],\"structs\":[{\"q\":\"e\",\"r\":\"f\"}],"
                + "\"old\":[\"g\",\"h\"],\"ids\":[7]}",
            "2 {\"pairs\":[],\"structs\":null,\"old\":null,\"ids\":null}");
  }

  @Test
  void eachGroupOfRowsIsReadOnce() throws IOException {
    List<Consumer<Group>> rows = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      String text = Integer.toString(i).repeat(20);
      rows.add(row -> row.append("content", text));
    }
    write(TEXTS, 2000, rows);
    List<ParquetFile.RowGroup> groups = parquet().rowGroups();
    assertThat(groups).hasSizeGreaterThan(3);
    List<String> pieces = new ArrayList<>();
    for (ParquetFile.RowGroup group : groups) {
      pieces.addAll(read(group.start(), group.end(), group.firstRow(), "content"));
    }
    assertThat(pieces).hasSize(1000).isEqualTo(read("content"));
    assertThat(pieces.get(999)).startsWith("1000 {\"content\":\"999");
  }

  @Test
  void valuesThatAreNoTextSpoilTheirRowOnly() throws IOException {
    MessageType schema =
        MessageTypeParser.parseMessageType(
            "message rows { optional binary content; optional double summary; }");
    write(
        schema,
        List.of(
            row ->
                row.append(
                    "content",
                    Binary.fromConstantByteArray("\u00e9".getBytes(StandardCharsets.ISO_8859_1))),
            row -> row.append("content", "a"),
            row -> row.append("summary", 1.5)));
    assertThat(read("content", "summary"))
        .containsExactly(
            "1 its column content is not UTF-8",
            "2 {\"content\":\"a\",\"summary\":null}",
            "3 its column summary is of the Parquet type DOUBLE"
                + " (texts, integers, lists and structs of them are read)");
  }

  @Test
  void aFileWithoutRowsHasNoGroups() throws IOException {
    write(TEXTS, List.of());
    assertThat(parquet().rowGroups()).isEmpty();
    assertThat(read("content")).isEmpty();
  }

  @Test
  void refusesACutFile() throws IOException {
    write(TEXTS, List.of(row -> row.append("content", "a")));
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 9));
    assertThatThrownBy(() -> parquet().rowGroups())
        .isInstanceOf(TunerException.class)
        .hasMessage("Cannot read F: it is not Parquet, or was cut short");
  }

  @Test
  void refusesADamagedPage() throws IOException {
    write(TEXTS, List.of(row -> row.append("content", "abcdefgh").append("summary", "b")));
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, 4, 30, (byte) 0x7f);
    Files.write(file, bytes);
    assertThatThrownBy(() -> read("content", "summary"))
        .isInstanceOf(Exception.class)
        .hasMessageStartingWith("Cannot read F: ");
  }
}
