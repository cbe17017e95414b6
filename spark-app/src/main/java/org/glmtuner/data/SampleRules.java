package org.glmtuner.data;

import java.io.Serializable;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.SpecialIds;

/**
 * What a model can learn from: turns ids and labels into a {@link Sample}, or says why not.
 *
 * @param specialIds the model's
 * @param vocabSize V; ids and labels are below it
 * @param maxSequenceLength tokens of a sample at most, after padding is cut off
 */
public record SampleRules(SpecialIds specialIds, int vocabSize, int maxSequenceLength)
    implements Serializable {

  public static SampleRules of(ChatGlmConfig config) {
    return new SampleRules(config.specialIds(), config.vocabSize(), config.maxSequenceLength());
  }

  /**
   * Makes a sample. What follows both the sop and the last label is cut off: the model looks back
   * only, so that padding there changes no loss.
   *
   * @throws RowException if no loss can be computed from the row
   */
  Sample sample(long id, TrainingRow row) throws RowException {
    int[] ids = row.inputIds();
    int[] labels = row.labels();
    if (ids.length != labels.length) {
      throw new RowException(
          "it has " + ids.length + " input_ids and " + labels.length + " labels");
    }
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabSize) {
        throw outside("input_ids", i, ids[i]);
      }
      if (labels[i] != Sample.IGNORED && (labels[i] < 0 || labels[i] >= vocabSize)) {
        throw outside("labels", i, labels[i]);
      }
    }
    int context =
        first(ids, specialIds.sop())
            .orElseThrow(() -> new RowException("it has no <sop> (id " + specialIds.sop() + ")"));
    int mask =
        IntStream.of(specialIds.gmask(), specialIds.mask())
            .mapToObj(special -> first(ids, special))
            .filter(OptionalInt::isPresent)
            .findFirst()
            .orElseThrow(
                () ->
                    new RowException(
                        "it has neither [gMASK] (id "
                            + specialIds.gmask()
                            + ") nor [MASK] (id "
                            + specialIds.mask()
                            + ")"))
            .getAsInt();
    if (mask > context) {
      throw new RowException("its [gMASK] or [MASK] stands behind <sop>");
    }
    int end = labels.length - 1;
    while (end > 0 && labels[end] == Sample.IGNORED) {
      end--;
    }
    if (end == 0) {
      throw new RowException("all its labels are masked");
    }
    int length = Math.max(context, end) + 1;
    if (length > maxSequenceLength) {
      throw new RowException(
          "it has "
              + length
              + " tokens (at most "
              + maxSequenceLength
              + ", by the model's max_sequence_length)");
    }
    return new Sample(id, Arrays.copyOf(ids, length), Arrays.copyOf(labels, length), context, mask);
  }

  private RowException outside(String column, int index, int id) {
    return new RowException(
        column + "[" + index + "] is " + id + " (0 to " + (vocabSize - 1) + ")");
  }

  private static OptionalInt first(int[] ids, int id) {
    return IntStream.range(0, ids.length).filter(i -> ids[i] == id).findFirst();
  }
}
