package org.glmtuner.data;

import java.util.Arrays;
import java.util.function.Function;
import org.glmtuner.model.SpecialIds;

/**
 * The official training preprocessing: {@code prompt [gMASK] <sop> response <eop>}. Of a text that
 * is too long the head is kept, and the response ends with eop all the same. What is to be learnt
 * starts with the sop.
 */
public final class TrainingRowEncoder {
  private final Function<String, int[]> tokenizer;
  private final SpecialIds specialIds;
  private final int maxSourceLength;
  private final int maxTargetLength;
  private final String sourcePrefix;

  /**
   * @param tokenizer ids of a text without special tokens
   * @param maxSourceLength S, for the prompt with [gMASK]; at least 1
   * @param maxTargetLength T, for the response with sop and eop; at least 2
   * @param sourcePrefix text put before every prompt
   */
  public TrainingRowEncoder(
      Function<String, int[]> tokenizer,
      SpecialIds specialIds,
      int maxSourceLength,
      int maxTargetLength,
      String sourcePrefix) {
    if (maxSourceLength < 1 || maxTargetLength < 2) {
      throw new IllegalArgumentException(
          "Invalid lengths: source "
              + maxSourceLength
              + ", target "
              + maxTargetLength
              + " (at least 1 and 2)");
    }
    this.tokenizer = tokenizer;
    this.specialIds = specialIds;
    this.maxSourceLength = maxSourceLength;
    this.maxTargetLength = maxTargetLength;
    this.sourcePrefix = sourcePrefix;
  }

  /** Encodes a row; at most S + T tokens, not padded. */
  public TrainingRow encode(String prompt, String response) {
    int[] source = tokenizer.apply(sourcePrefix + prompt);
    int[] target = tokenizer.apply(response);
    int context = Math.min(source.length, maxSourceLength - 1) + 1;
    int targetLength = Math.min(target.length, maxTargetLength - 2);
    int[] ids = Arrays.copyOf(source, context + targetLength + 2);
    ids[context - 1] = specialIds.gmask();
    ids[context] = specialIds.sop();
    System.arraycopy(target, 0, ids, context + 1, targetLength);
    ids[ids.length - 1] = specialIds.eop();
    int[] labels = ids.clone();
    Arrays.fill(labels, 0, context, Sample.IGNORED);
    return new TrainingRow(ids, labels);
  }

  /** As {@link #encode}, padded to S + T tokens as the official program does. */
  public TrainingRow encodePadded(String prompt, String response) {
    return encode(prompt, response).padded(maxSourceLength + maxTargetLength, specialIds.pad());
  }
}
