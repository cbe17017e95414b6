package org.glmtuner.driver;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.glmtuner.failure.TunerException;

/**
 * What became of the rows of a data key.
 *
 * @param malformed the first of them
 * @param empty the first of them
 */
record RowReport(RowCounts counts, List<UnusedRow> malformed, List<UnusedRow> empty) {
  private static final int SHOWN = 3;

  static RowReport of(List<? extends JudgedRow<?>> rows) {
    return new RowReport(
        rows.stream().map(RowCounts::of).reduce(RowCounts.NONE, RowCounts::plus),
        rows.stream().filter(JudgedRow::isMalformed).map(JudgedRow::unused).toList(),
        rows.stream().filter(JudgedRow::isEmpty).map(JudgedRow::unused).toList());
  }

  /** The malformed rows, then the empty ones. */
  List<UnusedRow> unused() {
    return Stream.concat(malformed.stream(), empty.stream()).toList();
  }

  /**
   * Refuses rows too many of which are malformed, or none of which can be used.
   *
   * @throws TunerException (exit code 6) with the counts and the first reason
   */
  void check(String key, String paths, double maxRejectedShare) {
    String first = unused().stream().findFirst().map(row -> "; " + row).orElse("");
    long considered = counts.samples() + counts.malformed();
    if (counts.malformed() > maxRejectedShare * considered) {
      throw TunerException.damaged(
          "Cannot use "
              + paths
              + " ("
              + key
              + "): "
              + counts.malformed()
              + " of "
              + considered
              + " rows are malformed, data.max-rejected-share allows "
              + maxRejectedShare
              + first);
    }
    if (counts.samples() == 0) {
      throw TunerException.damaged("Cannot use " + paths + " (" + key + "): " + counts + first);
    }
  }

  /** The counts, and what is wrong with the first malformed rows. */
  @Override
  public String toString() {
    return counts
        + malformed.stream().limit(SHOWN).map(row -> "; " + row).collect(Collectors.joining());
  }
}
