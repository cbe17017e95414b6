package org.glmtuner.driver;

import java.io.Serializable;
import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;

/**
 * What became of a row.
 *
 * @param value what it holds; null where it is not used
 * @param problem why it is malformed, else null
 * @param emptiness why it is passed over without being malformed, else null
 * @param <T> what rows are read as
 */
record JudgedRow<T>(String file, long row, T value, String problem, String emptiness)
    implements Serializable {

  static <T> JudgedRow<T> of(RowFiles.Row row, RowOutcome<T> outcome) {
    if (outcome instanceof RowOutcome.Rejected<T> rejected) {
      return new JudgedRow<>(row.file(), row.row(), null, rejected.reason(), null);
    } else if (outcome instanceof RowOutcome.Skipped<T> skipped) {
      return new JudgedRow<>(row.file(), row.row(), null, null, skipped.reason());
    }
    T value = ((RowOutcome.Accepted<T>) outcome).value();
    return new JudgedRow<>(row.file(), row.row(), value, null, null);
  }

  /**
   * All rows that are not blank, each read when it is asked for: a file that is one piece may be
   * larger than an executor's memory.
   */
  static <T> Stream<JudgedRow<T>> each(Iterator<RowFiles.Row> rows, RowParser<T> parser) {
    return StreamSupport.stream(
            Spliterators.spliteratorUnknownSize(rows, Spliterator.ORDERED), false)
        .filter(row -> !row.isBlank())
        .map(row -> of(row, row.parse(parser)));
  }

  /** The same with another value. */
  <R> JudgedRow<R> map(Function<T, R> function) {
    R mapped = value == null ? null : function.apply(value);
    return new JudgedRow<>(file, row, mapped, problem, emptiness);
  }

  boolean isMalformed() {
    return problem != null;
  }

  boolean isEmpty() {
    return emptiness != null;
  }

  /** Of a row without a value. */
  UnusedRow unused() {
    return new UnusedRow(file, row, isMalformed() ? problem : emptiness);
  }
}
