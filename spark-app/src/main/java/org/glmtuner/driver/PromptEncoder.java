package org.glmtuner.driver;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.glmtuner.config.DataConfig;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/** Prompts as the model takes them. */
final class PromptEncoder {
  private final ChatGlmConfig model;
  private final DataConfig data;
  private final ChatGlmTokenizer tokenizer;

  /**
   * @param tokenizer null where no prompt is a text
   */
  PromptEncoder(ChatGlmConfig model, DataConfig data, ChatGlmTokenizer tokenizer) {
    this.model = model;
    this.data = data;
    this.tokenizer = tokenizer;
  }

  Prompt encode(long id, PromptFile.Row row) {
    return row.ids() == null
        ? new Prompt(id, encode(row.text()))
        : checked(new Prompt(id, withoutPadding(row.ids())));
  }

  /** As the official evaluation: the head of the prompt that fits, then gMASK and sop. */
  private int[] encode(String prompt) {
    SpecialIds special = model.specialIds();
    int[] text = tokenizer.encode(data.columns().sourcePrefix() + prompt);
    int kept = Math.min(text.length, data.maxSourceLength() - 2);
    int[] ids = Arrays.copyOf(text, kept + 2);
    ids[kept] = special.gmask();
    ids[kept + 1] = special.sop();
    return ids;
  }

  /** The official tokenizer pads on the left, with positions that leave the padding out. */
  private int[] withoutPadding(int[] ids) {
    int begin = 0;
    while (begin < ids.length && ids[begin] == model.specialIds().pad()) {
      begin++;
    }
    return Arrays.copyOfRange(ids, begin, ids.length);
  }

  private Prompt checked(Prompt prompt) {
    SpecialIds special = model.specialIds();
    int[] ids = prompt.ids();
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= model.vocabSize()) {
        throw refused(
            prompt,
            "token " + ids[i] + " is not in the vocabulary (0 to " + (model.vocabSize() - 1) + ")");
      }
    }
    if (IntStream.of(ids).noneMatch(id -> id == special.sop())) {
      throw refused(prompt, "it has no <sop> (id " + special.sop() + ")");
    }
    if (IntStream.of(ids).noneMatch(id -> id == special.gmask() || id == special.mask())) {
      throw refused(
          prompt,
          "it has neither [gMASK] (id "
              + special.gmask()
              + ") nor [MASK] (id "
              + special.mask()
              + ")");
    }
    if (ids.length > model.maxSequenceLength()) {
      throw refused(
          prompt,
          "it has "
              + ids.length
              + " tokens (at most "
              + model.maxSequenceLength()
              + ", by the model's max_sequence_length)");
    }
    return prompt;
  }

  private static TunerException refused(Prompt prompt, String reason) {
    return TunerException.damaged("Cannot complete prompt " + prompt.number() + ": " + reason);
  }
}
