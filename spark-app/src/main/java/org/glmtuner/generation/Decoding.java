package org.glmtuner.generation;

import org.glmtuner.config.GenerationConfig;
import org.glmtuner.config.GenerationConfig.Sampling;
import org.glmtuner.config.TunerConfig;

/**
 * How prompts are completed.
 *
 * @param maxNewTokens of a completion, without the closing eop
 * @param batchSize prompts that are under way at a time
 * @param stepTokens rows of the model that a step runs at most, as far as prompts can wait; bounds
 *     its memory
 */
public record Decoding(Sampling sampling, int maxNewTokens, int batchSize, int stepTokens) {
  public static Decoding of(TunerConfig config, int stepTokens) {
    GenerationConfig generation = config.generation();
    return new Decoding(
        generation.sampling(),
        generation.maxNewTokens(config.data()),
        generation.batchSize(),
        stepTokens);
  }
}
