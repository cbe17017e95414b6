package org.glmtuner.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Files of rows with real ids, padded as the official preprocessing leaves them. */
final class BenchmarkRows {
  private static final int PADDED = 40;

  private BenchmarkRows() {}

  /** Row i has i + 3 tokens of prompt and i + 2 of response, and two special ones in between. */
  static Path write(Path file, int rows) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      int prompt = row + 3;
      int response = row + 2;
      List<Integer> ids = new ArrayList<>();
      List<Integer> labels = new ArrayList<>();
      for (int i = 0; i < prompt; i++) {
        ids.add(20_000 + 97 * i + row);
        labels.add(-100);
      }
      ids.add(130_001);
      labels.add(-100);
      ids.add(130_004);
      labels.add(130_004);
      for (int i = 0; i < response - 1; i++) {
        ids.add(60_000 + 89 * i + row);
        labels.add(60_000 + 89 * i + row);
      }
      ids.add(130_005);
      labels.add(130_005);
      while (ids.size() < PADDED) {
        ids.add(3);
        labels.add(-100);
      }
      lines.add("{\"input_ids\":" + ids + ",\"labels\":" + labels + "}");
    }
    return Files.writeString(file, lines.stream().collect(Collectors.joining("\n")) + "\n");
  }

  /** Tokens of the first {@code rows} rows. */
  static int tokens(int rows) {
    return IntStream.range(0, rows).map(row -> 2 * row + 7).sum();
  }
}
