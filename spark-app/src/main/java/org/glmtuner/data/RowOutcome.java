package org.glmtuner.data;

import java.io.Serializable;

/**
 * What became of one row.
 *
 * @param <T> what rows are read as
 */
public sealed interface RowOutcome<T> extends Serializable {

  /** The row is good. */
  record Accepted<T>(T value) implements RowOutcome<T> {}

  /** The row is wrong; counted, and the run fails when there are too many. */
  record Rejected<T>(String reason) implements RowOutcome<T> {}

  /** The row is empty and passed over, as the official recipe does. */
  record Skipped<T>(String reason) implements RowOutcome<T> {}
}
