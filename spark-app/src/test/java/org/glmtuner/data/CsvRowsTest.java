package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.NotEmpty;
import net.jqwik.api.constraints.Size;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class CsvRowsTest {
  private static final int MIB = 1 << 20;

  private static List<String> read(String text) throws IOException {
    return read(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Each row as its number and its JSON or problem. */
  private static List<String> read(byte[] bytes) throws IOException {
    List<String> rows = new ArrayList<>();
    try (CsvRows csv = new CsvRows(new ByteArrayInputStream(bytes), "F")) {
      while (csv.hasNext()) {
        TableRow row = csv.next();
        rows.add(row.number() + " " + (row.problem() == null ? row.fields() : row.problem()));
      }
    }
    return rows;
  }

  @Test
  void readsTextsBelowAHeader() throws IOException {
    assertThat(read("content,summary\n类型#裤,宽松\n a ,007\n"))
        .containsExactly(
            "2 {\"content\":\"类型#裤\",\"summary\":\"宽松\"}",
            "3 {\"content\":\" a \",\"summary\":\"007\"}");
  }

  @Test
  void quotesHoldCommasQuotesAndLineBreaks() throws IOException {
    assertThat(read("a,b\n\"1,\"\"2\"\"\",\"x\r\ny\n\nz\"\n3,4"))
        .containsExactly(
            "2 {\"a\":\"1,\\\"2\\\"\",\"b\":\"x\\r\\ny\\n\\nz\"}", "6 {\"a\":\"3\",\"b\":\"4\"}");
  }

  @Test
  void passesOverAByteOrderMarkEmptyLinesAndAnyKindOfLineEnd() throws IOException {
    assertThat(read("\ufeff\r\n\"a\",b\r\n\r\n1,2\n  \n3,4\r5,6\r\n\n"))
        .containsExactly(
            "4 {\"a\":\"1\",\"b\":\"2\"}",
            "6 {\"a\":\"3\",\"b\":\"4\"}",
            "7 {\"a\":\"5\",\"b\":\"6\"}");
  }

  @Test
  void readsQuotesInsideAndTextBehindQuotesAsPandas() throws IOException {
    assertThat(read("a,b\n1\"2\",\"3\"4\n"))
        .containsExactly("2 {\"a\":\"1\\\"2\\\"\",\"b\":\"34\"}");
  }

  @Test
  void keepsEmptyFieldsAndWordsForMissingValues() throws IOException {
    assertThat(read("a,b\n,\"\"\nNA,null\n"))
        .containsExactly("2 {\"a\":\"\",\"b\":\"\"}", "3 {\"a\":\"NA\",\"b\":\"null\"}");
  }

  @Test
  void aRaggedRowIsUnreadableAndTheNextIsNot() throws IOException {
    assertThat(read("a,b\n1\n\"2\n3\",4,5\n6,7\n"))
        .containsExactly(
            "2 it has 1 fields, the header has 2",
            "3 it has 3 fields, the header has 2",
            "5 {\"a\":\"6\",\"b\":\"7\"}");
  }

  @Test
  void aFieldThatIsNotUtf8SpoilsItsRowOnly() throws IOException {
    assertThat(read("a,b\n1,\u00e9\n3,4\n".getBytes(StandardCharsets.ISO_8859_1)))
        .containsExactly("2 its column b is not UTF-8", "3 {\"a\":\"3\",\"b\":\"4\"}");
  }

  @Test
  void refusesAHeaderThatNamesAColumnTwice() {
    assertDamaged("a,b,a\n", "Cannot read F: its header names the column a twice");
    assertDamaged("\ufeff\n", "Cannot read F: it is empty");
  }

  @Test
  void refusesQuotesWithoutEnd() {
    assertDamaged(
        "a,b\n1,2\n3,\"4\n5,6\n", "Cannot read F: the quotes of a field in line 3 do not end");
  }

  @Test
  void looksForClosingQuotesInBoundedMemory() {
    byte[] block = "x".repeat(MIB).getBytes(StandardCharsets.UTF_8);
    InputStream text = new ByteArrayInputStream("a,b\n1,\"".getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < 70; i++) {
      text = new SequenceInputStream(text, new ByteArrayInputStream(block));
    }
    InputStream endless = text;
    assertThatThrownBy(() -> new CsvRows(endless, "F"))
        .hasMessage("Cannot read F: the quotes of a field in line 2 do not end");
  }

  private static void assertDamaged(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessage(message);
  }

  @Property
  void readsWhatAWriterWrites(
      @ForAll @NotEmpty List<@Size(2) List<@Chars({'a', '"', ',', '\n', '\r', ' ', '裤'}) String>> rows)
      throws IOException {
    StringBuilder text = new StringBuilder("a,b\n");
    for (List<String> row : rows) {
      text.append('"')
          .append(row.get(0).replace("\"", "\"\""))
          .append("\",\"")
          .append(row.get(1).replace("\"", "\"\""))
          .append("\"\n");
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    List<List<String>> read = new ArrayList<>();
    try (CsvRows csv = new CsvRows(new ByteArrayInputStream(bytes), "F")) {
      while (csv.hasNext()) {
        TableRow row = csv.next();
        read.add(List.of(row.fields().get("a").getAsString(), row.fields().get("b").getAsString()));
      }
    }
    assertThat(read).isEqualTo(rows);
  }
}
