package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Compares numbers with those of the official code, and notes each comparison in {@code
 * target/golden-table.md}, of which {@code src/test/golden-table.md} is a copy.
 */
public final class GoldenTable {
  static final String HEADER =
      """
      # Against the official code

      What the official code gave in FP32, what this code gives, and how far they may be apart.
      Where the expected value is a bare 0, the quantity is a distance from the official one: of
      gradients, hidden states, logits and moments the L2 norm of the difference by that of the
      official tensor, of all else the greatest difference. `oracle` is the slow model of the tests,
      `native` what ranks run, `N ranks` and `score` the commands as a whole.

      The tests write this table to `spark-app/target/golden-table.md` (`mvn clean verify`); what is
      committed is a copy of that.

      | case | quantity | expected | got | tolerance |
      |---|---|---|---|---|
      """;

  private static final Path FILE = Path.of("target", "golden-table.md");

  private GoldenTable() {}

  /** Fails unless {@code got} is within {@code tolerance} of {@code expected}. */
  public static void check(
      String golden, String quantity, double expected, double got, double tolerance) {
    note(golden, quantity, String.format(Locale.ROOT, "%.7g", expected), got, tolerance);
    assertThat(got).as("%s, %s", golden, quantity).isCloseTo(expected, within(tolerance));
  }

  /**
   * Fails unless {@code distance}, from what the official code gave, is at most {@code tolerance}.
   */
  public static void checkDistance(
      String golden, String quantity, double distance, double tolerance) {
    note(golden, quantity, "0", distance, tolerance);
    assertThat(distance).as("%s, %s", golden, quantity).isLessThanOrEqualTo(tolerance);
  }

  /** Fails unless the directions of {@code got} and {@code expected} are that similar. */
  public static void checkCosine(
      String golden, String quantity, float[] got, float[] expected, double least) {
    double cosine = cosine(got, expected);
    note(golden, quantity + ", 1 - cosine", "0", 1 - cosine, 1 - least);
    assertThat(cosine).as("%s, %s", golden, quantity).isGreaterThanOrEqualTo(least);
  }

  /** The rows are sorted, so that two tables can be compared; a later comparison wins. */
  private static synchronized void note(
      String golden, String quantity, String expected, double got, double tolerance) {
    try {
      Map<String, String> rows = new TreeMap<>();
      if (Files.exists(FILE)) {
        rows(FILE).forEach(row -> rows.put(key(row), row));
      }
      String row =
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %.7g | %.1e |",
              golden,
              quantity,
              expected,
              got,
              tolerance);
      rows.put(key(row), row);
      Files.writeString(
          FILE, HEADER + rows.values().stream().collect(Collectors.joining("\n", "", "\n")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The lines of comparisons in a table's file. */
  static List<String> rows(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> line.startsWith("| ") && !line.startsWith("| case "))
        .toList();
  }

  /** Case and quantity; the numbers of steps and rows sort as numbers. */
  private static String key(String row) {
    String[] cells = row.split("\\|", -1);
    return (cells[1] + "|" + cells[2]).replaceAll("\\b(\\d)\\b", "0$1");
  }

  /** |a − b| / |b|, L2. */
  public static double relativeDistance(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    double difference = 0;
    double size = 0;
    for (int i = 0; i < b.length; i++) {
      difference += Math.pow((double) a[i] - b[i], 2);
      size += Math.pow(b[i], 2);
    }
    return Math.sqrt(difference / size);
  }

  /** The greatest |a − b|. */
  public static double greatestDistance(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    double greatest = 0;
    for (int i = 0; i < b.length; i++) {
      double distance = Math.abs((double) a[i] - b[i]);
      greatest = Math.max(greatest, distance); // NaN stays NaN
    }
    return greatest;
  }

  /** The share of elements that are further apart than {@code distance}. */
  public static double shareApart(float[] a, float[] b, double distance) {
    assertThat(a).hasSameSizeAs(b);
    int apart = 0;
    for (int i = 0; i < b.length; i++) {
      apart += Math.abs((double) a[i] - b[i]) <= distance ? 0 : 1;
    }
    return (double) apart / b.length;
  }

  /** a·b / (|a|·|b|). */
  public static double cosine(float[] a, float[] b) {
    double product = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
    }
    return product / (norm(a) * norm(b));
  }

  /** L2. */
  public static double norm(float[] a) {
    double squares = 0;
    for (float value : a) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares);
  }
}
