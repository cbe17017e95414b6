package org.glmtuner.data;

import java.io.Serializable;
import java.util.Arrays;

/**
 * A row to generate from, as the official evaluation makes it, without padding.
 *
 * @param inputIds the prompt, [gMASK] and sop
 * @param labels the reference that the answer is compared with, [gMASK] and sop
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by content
public record EvaluationRow(int[] inputIds, int[] labels) implements Serializable {
  @Override
  public boolean equals(Object other) {
    return other instanceof EvaluationRow row
        && Arrays.equals(inputIds, row.inputIds)
        && Arrays.equals(labels, row.labels);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(inputIds) + Arrays.hashCode(labels);
  }

  @Override
  public String toString() {
    return "EvaluationRow[inputIds="
        + Arrays.toString(inputIds)
        + ", labels="
        + Arrays.toString(labels)
        + "]";
  }
}
