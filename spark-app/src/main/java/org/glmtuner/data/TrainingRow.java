package org.glmtuner.data;

import java.io.Serializable;
import java.util.Arrays;

/**
 * Ids and labels as the official preprocessing makes them, before any check.
 *
 * @param inputIds tokens, perhaps padded
 * @param labels aligned with {@code inputIds}
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by content
public record TrainingRow(int[] inputIds, int[] labels) implements Serializable {

  /** Padded on the right to {@code length}; the padding's labels are ignored. */
  public TrainingRow padded(int length, int pad) {
    int[] ids = Arrays.copyOf(inputIds, length);
    int[] paddedLabels = Arrays.copyOf(labels, length);
    Arrays.fill(ids, Math.min(inputIds.length, length), length, pad);
    Arrays.fill(paddedLabels, Math.min(labels.length, length), length, Sample.IGNORED);
    return new TrainingRow(ids, paddedLabels);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TrainingRow row
        && Arrays.equals(inputIds, row.inputIds)
        && Arrays.equals(labels, row.labels);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(inputIds) + Arrays.hashCode(labels);
  }

  @Override
  public String toString() {
    return "TrainingRow[inputIds="
        + Arrays.toString(inputIds)
        + ", labels="
        + Arrays.toString(labels)
        + "]";
  }
}
