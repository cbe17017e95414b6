package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ByteLinesTest {
  private static final int MOST = 100_000; // more than a buffer

  @TempDir Path directory;

  private List<String> read(Path file, long start, long end) throws IOException {
    List<String> read = new ArrayList<>();
    try (ByteLines lines = new ByteLines(Files.newByteChannel(file), start, end, MOST)) {
      while (lines.hasNext()) {
        String line = new String(lines.next(), StandardCharsets.UTF_8);
        read.add(lines.isTooLong() ? "too long" + line : line);
      }
    }
    return read;
  }

  @Test
  void aLineThatIsTooLongIsPassedOverAndSaid() throws IOException {
    String longest = "b".repeat(MOST);
    String longer = "c".repeat(MOST + 1);
    String endless = "d".repeat(5 * MOST);
    Path file =
        Files.writeString(
            directory.resolve("F"), String.join("\n", "a", longer, longest, "", endless));
    assertThat(read(file, 0, Files.size(file)))
        .containsExactly("a", "too long", longest, "", "too long");
    int middle = MOST / 2;
    assertThat(read(file, 0, middle)).containsExactly("a", "too long");
    assertThat(read(file, middle, Files.size(file))).containsExactly(longest, "", "too long");
  }
}
