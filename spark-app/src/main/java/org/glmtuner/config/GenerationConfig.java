package org.glmtuner.config;

import java.io.Serializable;

/**
 * {@code generation}: how prompts are completed.
 *
 * @param maxNewTokens at most so many, without the closing eop; 0: {@code data.max-target-length}
 * @param batchSize prompts that a rank completes at a time
 */
public record GenerationConfig(Sampling sampling, int maxNewTokens, int batchSize, Text text)
    implements Serializable {

  /**
   * How the next token is chosen; meanings and order are those of Hugging Face's {@code generate}.
   *
   * @param doSample false: the most probable token, whatever {@code temperature}, {@code topK} and
   *     {@code topP}
   * @param topK 0: all tokens
   * @param topP 1: all tokens
   * @param seed with the prompt's number and the step, decides the random numbers
   */
  public record Sampling(
      boolean doSample,
      double temperature,
      int topK,
      double topP,
      double repetitionPenalty,
      long seed)
      implements Serializable {}

  /** What a completion looks like. */
  public enum Text {
    /** The decoded tokens, as the official evaluation takes them. */
    PLAIN,
    /** As the official {@code chat()} answers: full-width punctuation among Chinese characters. */
    CHAT
  }

  static GenerationConfig read(Section section) {
    return new GenerationConfig(
        new Sampling(
            section.flag("do-sample"),
            section.number("temperature", 0.01, 100),
            section.integer("top-k", 0, 1 << 20),
            section.positive("top-p", 1),
            section.number("repetition-penalty", 0.01, 100),
            section.longInteger("seed")),
        section.integer("max-new-tokens", 0, 1 << 20),
        section.integer("batch-size", 1, 1 << 9),
        section.choice("text", Text.values()));
  }

  /** The limit that counts. */
  public int maxNewTokens(DataConfig data) {
    return maxNewTokens == 0 ? data.maxTargetLength() : maxNewTokens;
  }
}
