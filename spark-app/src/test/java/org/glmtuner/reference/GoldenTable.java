package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * Compares numbers with those of the official code, and notes each comparison in {@code
 * target/golden-table.md}.
 */
public final class GoldenTable {
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
    note(golden, quantity + ", distance", "0", distance, tolerance);
    assertThat(distance).as("%s, %s", golden, quantity).isLessThanOrEqualTo(tolerance);
  }

  private static synchronized void note(
      String golden, String quantity, String expected, double got, double tolerance) {
    try {
      if (!Files.exists(FILE)) {
        Files.writeString(
            FILE, "| case | quantity | expected | got | tolerance |\n|---|---|---|---|---|\n");
      }
      Files.writeString(
          FILE,
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %.7g | %.1e |%n",
              golden,
              quantity,
              expected,
              got,
              tolerance),
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** |a − b| / |b|, L2. */
  public static double relativeDistance(float[] a, float[] b) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < b.length; i++) {
      difference += Math.pow((double) a[i] - b[i], 2);
      size += Math.pow(b[i], 2);
    }
    return Math.sqrt(difference / size);
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
