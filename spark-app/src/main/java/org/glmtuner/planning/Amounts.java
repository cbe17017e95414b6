package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Numbers for people. */
final class Amounts {
  private static final double GIGA = 1e9;

  private Amounts() {}

  /** As {@code 2 ranks}. */
  static String counted(long count, String thing) {
    String ending = count == 1 ? "" : thing.endsWith("ch") ? "es" : "s";
    return count + " " + thing + ending;
  }

  static String gigabytes(long bytes) {
    return format("%.2f GB", bytes / GIGA);
  }

  static String seconds(double seconds) {
    return seconds < 1 ? format("%.0f ms", 1e3 * seconds) : format("%.2f s", seconds);
  }

  /** As {@code 3 h 5 min}. */
  static String duration(double seconds) {
    long minutes = Math.round(seconds / 60);
    return minutes >= 24 * 60
        ? format("%d d %d h", minutes / (24 * 60), minutes / 60 % 24)
        : minutes >= 60
            ? format("%d h %d min", minutes / 60, minutes % 60)
            : minutes > 0 ? minutes + " min" : seconds(seconds);
  }

  /** As the kernel writes lists: {@code 0-7,64}. */
  static String ranges(List<Integer> numbers) {
    List<Long> sorted = numbers.stream().map(Integer::longValue).sorted().toList();
    List<String> parts = new ArrayList<>();
    for (int from = 0; from < sorted.size(); ) {
      int end = from;
      while (end + 1 < sorted.size() && sorted.get(end + 1) == sorted.get(end) + 1) {
        end++;
      }
      parts.add(
          LongStream.of(sorted.get(from), sorted.get(end))
              .distinct()
              .mapToObj(Long::toString)
              .collect(Collectors.joining("-")));
      from = end + 1;
    }
    return String.join(",", parts);
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
