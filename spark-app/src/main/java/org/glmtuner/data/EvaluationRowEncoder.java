package org.glmtuner.data;

import java.util.Arrays;
import java.util.function.Function;
import org.glmtuner.config.DataConfig;
import org.glmtuner.config.DataConfig.EmptyHistory;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * The official preprocessing for evaluation and prediction: {@code prompt [gMASK] <sop>}, and the
 * reference in the same form. Both keep their head: at most S − 2 tokens of the prompt (training: S
 * − 1) and T − 2 of the reference, so that a long reference counts only as far as that. Decoding
 * {@code labels} without special tokens gives the reference's text.
 */
public final class EvaluationRowEncoder {
  private static final int SPECIALS = 2;

  private final PromptEncoder prompts;
  private final Function<String, int[]> tokenizer;
  private final SpecialIds specialIds;
  private final int maxSourceLength;
  private final int maxTargetLength;

  /**
   * @param prompts made with the raw query for an empty history
   * @param tokenizer ids of a text without special tokens
   * @param maxSourceLength S, for the prompt with its special tokens; at least 2
   * @param maxTargetLength T, for the reference with its special tokens; at least 2
   */
  public EvaluationRowEncoder(
      PromptEncoder prompts,
      Function<String, int[]> tokenizer,
      SpecialIds specialIds,
      int maxSourceLength,
      int maxTargetLength) {
    if (maxSourceLength < SPECIALS || maxTargetLength < SPECIALS) {
      throw new IllegalArgumentException(
          "Invalid lengths: source "
              + maxSourceLength
              + ", target "
              + maxTargetLength
              + " (at least 2 and 2)");
    }
    this.prompts = prompts;
    this.tokenizer = tokenizer;
    this.specialIds = specialIds;
    this.maxSourceLength = maxSourceLength;
    this.maxTargetLength = maxTargetLength;
  }

  /** With the lengths and switches of {@code data}. */
  public static EvaluationRowEncoder of(
      ChatGlmTokenizer tokenizer, SpecialIds specialIds, DataConfig data) {
    return new EvaluationRowEncoder(
        PromptEncoder.of(tokenizer, data, EmptyHistory.RAW),
        PromptEncoder.encoding(tokenizer, data),
        specialIds,
        data.maxSourceLength(),
        data.maxTargetLength());
  }

  /** The ids of a prompt that stands alone, ready to be completed. */
  public EncodedText encodePrompt(String prompt) {
    return encodePrompt(Question.of(prompt));
  }

  EvaluationRow encode(Question question, String reference) {
    EncodedText target = EncodedText.head(tokenizer.apply(reference), maxTargetLength - SPECIALS);
    return new EvaluationRow(encodePrompt(question).ids(), withSpecials(target.ids()));
  }

  private EncodedText encodePrompt(Question question) {
    EncodedText text = prompts.encode(question, maxSourceLength - SPECIALS);
    return new EncodedText(withSpecials(text.ids()), text.cut());
  }

  private int[] withSpecials(int[] text) {
    int[] ids = Arrays.copyOf(text, text.length + SPECIALS);
    ids[text.length] = specialIds.gmask();
    ids[text.length + 1] = specialIds.sop();
    return ids;
  }
}
