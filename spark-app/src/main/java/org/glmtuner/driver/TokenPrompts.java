package org.glmtuner.driver;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.SpecialIds;

/** Prompts that a user gives as ids, which the model may not be able to complete. */
final class TokenPrompts {
  private final ChatGlmConfig model;

  TokenPrompts(ChatGlmConfig model) {
    this.model = model;
  }

  /**
   * The ids as a prompt, without padding on the left: the official tokenizer puts it there and
   * counts positions from behind it.
   *
   * @throws TunerException (exit code 6) naming the prompt by its number
   */
  Prompt prompt(long id, int[] given) {
    SpecialIds special = model.specialIds();
    int begin = 0;
    while (begin < given.length && given[begin] == special.pad()) {
      begin++;
    }
    int[] ids = Arrays.copyOfRange(given, begin, given.length);
    Prompt prompt = new Prompt(id, ids);
    for (int token : ids) {
      if (token < 0 || token >= model.vocabSize()) {
        throw refused(
            prompt,
            "token " + token + " is not in the vocabulary (0 to " + (model.vocabSize() - 1) + ")");
      }
    }
    if (IntStream.of(ids).noneMatch(token -> token == special.sop())) {
      throw refused(prompt, "it has no <sop> (id " + special.sop() + ")");
    }
    if (IntStream.of(ids).noneMatch(token -> token == special.gmask() || token == special.mask())) {
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
