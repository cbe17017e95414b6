package org.glmtuner.data;

/** Why one row cannot be used; the message reads on after "row N: ". */
final class RowException extends Exception {
  private static final long serialVersionUID = 1L;

  RowException(String reason) {
    super(reason);
  }
}
