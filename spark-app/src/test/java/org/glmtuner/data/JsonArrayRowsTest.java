package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonArrayRowsTest {

  @Test
  void numbersTheElements() throws IOException {
    assertThat(read(" [ {\"a\": 1} ,\n null, \"x\", [2] ]\n"))
        .containsExactly("0 {\"a\":1}", "1 null", "2 \"x\"", "3 [2]");
    assertThat(read("[]")).isEmpty();
    assertThat(read("\ufeff[1]")).containsExactly("0 1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[1, 2 | element 2 of its array is not JSON at line 1 column 6",
        "[1, 2} | element 2 of its array is not JSON at line 1 column 7",
        "[{a: 1}] | element 0 of its array is not JSON at line 1 column 4",
        "[1,] | element 1 of its array is not JSON at line 1 column 5",
        "{\"a\": 1} | element 0 of its array is not JSON at line 1 column 2",
        "[1] [2] | element 1 of its array is not JSON at line 1 column 6",
        "[1] x | element 1 of its array is not JSON at line 1 column 6",
      })
  void refusesADamagedFile(String json, String reason) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessage("Cannot read F: " + reason);
  }

  @Test
  void refusesAnotherCharset() {
    byte[] latin = "[\"a\", \"\u00e9\"]".getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> read(new ByteArrayInputStream(latin)))
        .hasMessageMatching("Cannot read F: element [01] of its array is not UTF-8");
  }

  @Test
  void keepsAnErrorOfTheStreamApartFromDamage() {
    InputStream failing =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("datanode is gone");
          }

          @Override
          public int read(byte[] target, int offset, int length) throws IOException {
            return read();
          }
        };
    byte[] start = "[1, 2, ".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(
            () -> read(new SequenceInputStream(new ByteArrayInputStream(start), failing)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage("Cannot read F: datanode is gone");
  }

  @Test
  void streamsWithoutHoldingTheFile() throws IOException {
    InputStream endless =
        new InputStream() {
          private long count;

          @Override
          public int read() {
            count++;
            return count == 1 ? '[' : count % 2 == 0 ? '7' : ',';
          }

          @Override
          public int read(byte[] target, int offset, int length) {
            for (int i = 0; i < length; i++) {
              target[offset + i] = (byte) read();
            }
            return length;
          }
        };
    try (JsonArrayRows rows = new JsonArrayRows(endless, "F")) {
      for (int i = 0; i < 1_000_000; i++) {
        assertThat(rows.next().number()).isEqualTo(i);
      }
    }
  }

  private static List<String> read(String json) throws IOException {
    return read(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
  }

  private static List<String> read(InputStream stream) throws IOException {
    List<String> rows = new ArrayList<>();
    try (JsonArrayRows array = new JsonArrayRows(stream, "F")) {
      array.forEachRemaining(row -> rows.add(row.number() + " " + row.element()));
    }
    return rows;
  }
}
