package org.glmtuner.data;

import java.io.Serializable;
import java.util.Arrays;

/**
 * One tokenised row without padding. The label at a position is the token that the model should
 * predict from the position before it, so the first position's label counts for nothing.
 *
 * <p>The arrays are shared, not copied: whoever makes or holds a sample leaves them unchanged.
 *
 * @param id the row's number, unique in its data set
 * @param inputIds tokens of prompt and response
 * @param labels as long as {@code inputIds}; {@link #IGNORED} where nothing is to be learnt
 * @param contextLength c, index of the first sop: tokens before it see each other in both
 *     directions
 * @param maskPosition m, index of the mask token, before c: the position of all tokens from c on
 */
@SuppressWarnings("ArrayRecordComponent") // a record, for serializers; equality is by content
public record Sample(long id, int[] inputIds, int[] labels, int contextLength, int maskPosition)
    implements Serializable {

  /** The label of a position that the loss leaves out. */
  public static final int IGNORED = -100;

  public Sample {
    if (inputIds.length != labels.length
        || contextLength >= inputIds.length
        || maskPosition < 0
        || maskPosition >= contextLength) {
      throw new IllegalArgumentException(
          String.format(
              "Invalid sample %d: %d ids, %d labels, sop at %d, mask at %d"
                  + " (as many labels as ids, mask before sop before the end)",
              id, inputIds.length, labels.length, contextLength, maskPosition));
    }
  }

  /** Number of tokens. */
  public int length() {
    return inputIds.length;
  }

  /** Number of tokens that the loss is the mean of. */
  public int labelCount() {
    int count = 0;
    for (int i = 1; i < labels.length; i++) {
      count += labels[i] == IGNORED ? 0 : 1;
    }
    return count;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Sample sample
        && id == sample.id
        && contextLength == sample.contextLength
        && maskPosition == sample.maskPosition
        && Arrays.equals(inputIds, sample.inputIds)
        && Arrays.equals(labels, sample.labels);
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(id) + Arrays.hashCode(inputIds);
  }

  @Override
  public String toString() {
    return "Sample[" + id + ", " + inputIds.length + " tokens, " + labelCount() + " labels]";
  }
}
