package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Rows of texts, the columns of which are put in line: numbers to the right, words to the left. */
final class Table {
  private static final String GAP = "  ";

  private final List<List<String>> rows = new ArrayList<>();

  Table row(String... cells) {
    rows.add(List.of(cells));
    return this;
  }

  /** The first row decides how many columns there are. */
  List<String> lines(String indent) {
    int columns = rows.get(0).size();
    int[] widths =
        IntStream.range(0, columns)
            .map(i -> rows.stream().mapToInt(row -> row.get(i).length()).max().orElseThrow())
            .toArray();
    boolean[] right = new boolean[columns];
    for (int i = 0; i < columns; i++) {
      int column = i;
      right[i] = rows.stream().skip(1).allMatch(row -> isNumber(row.get(column)));
    }
    return rows.stream()
        .map(
            row ->
                indent
                    + String.join(
                            GAP,
                            IntStream.range(0, columns)
                                .mapToObj(i -> pad(row.get(i), widths[i], right[i]))
                                .toList())
                        .stripTrailing())
        .toList();
  }

  private static boolean isNumber(String cell) {
    return cell.isEmpty() || cell.equals("-") || cell.matches("-?[0-9.,]+( \\S+)?");
  }

  private static String pad(String cell, int width, boolean right) {
    String blanks = " ".repeat(width - cell.length());
    return right ? blanks + cell : cell + blanks;
  }
}
