package org.glmtuner.topology;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** CPU numbers in the kernel's list format, such as {@code 0-3,8}. */
public final class CpuList {
  private CpuList() {}

  /**
   * Reads a list, ranges or not.
   *
   * @return ascending, each once
   * @throws IllegalArgumentException naming what is no such list
   */
  public static List<Integer> parse(String list) {
    try {
      return Stream.of(list.strip().split(",", -1))
          .map(String::strip)
          .filter(range -> !range.isEmpty())
          .flatMapToInt(CpuList::range)
          .sorted()
          .distinct()
          .boxed()
          .toList();
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "Invalid list of CPUs: " + list + " (numbers and ranges such as 0-3,8 are expected)", e);
    }
  }

  private static IntStream range(String range) {
    String[] ends = range.split("-", 2);
    return IntStream.rangeClosed(
        Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
  }

  /** The inverse of {@link #parse}, without ranges and in the order given. */
  public static String format(List<Integer> cpus) {
    return cpus.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** As {@link #format(List)}. */
  public static String format(int[] cpus) {
    return format(IntStream.of(cpus).boxed().toList());
  }
}
