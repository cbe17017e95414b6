package org.glmtuner.data;

import java.util.Arrays;
import java.util.function.Function;
import org.glmtuner.config.DataConfig;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * The official training preprocessing: {@code prompt [gMASK] <sop> response <eop>}. Of a text that
 * is too long the head is kept, and the response ends with eop all the same. What is to be learnt
 * starts with the first sop.
 */
public final class TrainingRowEncoder {

  /**
   * A row, and how many tokens of its texts were over their lengths.
   *
   * @param row not padded
   */
  record Encoded(TrainingRow row, int promptCut, int responseCut) {}

  private final PromptEncoder prompts;
  private final Function<String, int[]> tokenizer;
  private final SpecialIds specialIds;
  private final int maxSourceLength;
  private final int maxTargetLength;

  /**
   * @param tokenizer ids of a response without special tokens
   * @param maxSourceLength S, for the prompt with [gMASK]; at least 1
   * @param maxTargetLength T, for the response with sop and eop; at least 2
   */
  public TrainingRowEncoder(
      PromptEncoder prompts,
      Function<String, int[]> tokenizer,
      SpecialIds specialIds,
      int maxSourceLength,
      int maxTargetLength) {
    if (maxSourceLength < 1 || maxTargetLength < 2) {
      throw new IllegalArgumentException(
          "Invalid lengths: source "
              + maxSourceLength
              + ", target "
              + maxTargetLength
              + " (at least 1 and 2)");
    }
    this.prompts = prompts;
    this.tokenizer = tokenizer;
    this.specialIds = specialIds;
    this.maxSourceLength = maxSourceLength;
    this.maxTargetLength = maxTargetLength;
  }

  /** With the lengths and switches of {@code data}. */
  public static TrainingRowEncoder of(
      ChatGlmTokenizer tokenizer, SpecialIds specialIds, DataConfig data) {
    return new TrainingRowEncoder(
        PromptEncoder.of(tokenizer, data, data.texts().emptyHistory()),
        PromptEncoder.encoding(tokenizer, data),
        specialIds,
        data.maxSourceLength(),
        data.maxTargetLength());
  }

  /** Encodes a row; at most S + T tokens. */
  Encoded encode(Question question, String response) {
    EncodedText source = prompts.encode(question, maxSourceLength - 1);
    EncodedText target = EncodedText.head(tokenizer.apply(response), maxTargetLength - 2);
    int sop = source.ids().length + 1;
    int[] ids = Arrays.copyOf(source.ids(), sop + target.ids().length + 2);
    ids[sop - 1] = specialIds.gmask();
    ids[sop] = specialIds.sop();
    System.arraycopy(target.ids(), 0, ids, sop + 1, target.ids().length);
    ids[ids.length - 1] = specialIds.eop();
    int[] labels = ids.clone();
    Arrays.fill(labels, 0, firstSop(ids), Sample.IGNORED);
    return new Encoded(new TrainingRow(ids, labels), source.cut(), target.cut());
  }

  /** Not always the one before the response: a tokenizer may read {@code <sop>} out of a prompt. */
  private int firstSop(int[] ids) {
    int index = 0;
    while (ids[index] != specialIds.sop()) {
      index++;
    }
    return index;
  }

  /** As {@link #encode}, padded to S + T tokens as the official program does. */
  TrainingRow encodePadded(Question question, String response) {
    return encode(question, response)
        .row()
        .padded(maxSourceLength + maxTargetLength, specialIds.pad());
  }
}
