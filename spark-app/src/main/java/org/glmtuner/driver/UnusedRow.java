package org.glmtuner.driver;

import java.io.Serializable;

/** A row that is no sample, and why. */
record UnusedRow(String file, long row, String reason) implements Serializable {

  @Override
  public String toString() {
    return file + ", row " + row + ": " + reason;
  }
}
