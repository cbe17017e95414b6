package org.glmtuner.generation;

import java.util.BitSet;
import org.glmtuner.config.GenerationConfig.Sampling;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Chooses the next token from logits as the {@code generate} of Hugging Face transformers 4.27.1:
 * penalty for repetition, then, when drawing, temperature, top-k and top-p. Random numbers depend
 * on the seed, the prompt's id and the step only. For one thread.
 */
public final class TokenSampler {
  private final Sampling sampling;
  private final float[] scores; // [V]

  public TokenSampler(Sampling sampling, int vocabulary) {
    this.sampling = sampling;
    this.scores = new float[vocabulary];
  }

  /**
   * The token that follows; without drawing, the most probable one, of equals the lowest.
   *
   * @param logits [.., V]; not changed
   * @param row of the logits
   * @param seen ids that the prompt and the completion have already
   * @param step new tokens so far
   * @throws TunerException (exit code 7) naming prompt and token, where a logit is not finite
   */
  public int next(float[] logits, int row, BitSet seen, Prompt prompt, int step) {
    System.arraycopy(logits, row * scores.length, scores, 0, scores.length);
    checkFinite(prompt, step);
    if (sampling.repetitionPenalty() != 1) {
      LogitsWarpers.penalise(scores, seen, (float) sampling.repetitionPenalty());
    }
    if (!sampling.doSample()) {
      return LogitsWarpers.largest(scores);
    }
    if (sampling.temperature() != 1) {
      LogitsWarpers.divide(scores, (float) sampling.temperature());
    }
    if (sampling.topK() > 0) {
      LogitsWarpers.keepTopK(scores, sampling.topK());
    }
    if (sampling.topP() < 1) {
      LogitsWarpers.keepTopP(scores, sampling.topP());
    }
    return LogitsWarpers.draw(scores, uniform(sampling.seed(), prompt.id(), step));
  }

  private void checkFinite(Prompt prompt, int step) {
    for (int id = 0; id < scores.length; id++) {
      if (!Float.isFinite(scores[id])) {
        throw new TunerException(
            ExitCode.DIVERGED,
            "Cannot complete prompt "
                + prompt.number()
                + ": the logit of token "
                + id
                + " is "
                + scores[id]
                + " after "
                + step
                + " new tokens");
      }
    }
  }

  /** In [0, 1): SplitMix64's mixing function over the three numbers. */
  static double uniform(long seed, long prompt, int step) {
    long golden = 0x9e3779b97f4a7c15L;
    long mixed = mix(mix(mix(seed + golden) + (prompt + 1) * golden) + (step + 1) * golden);
    return (mixed >>> 11) * 0x1p-53;
  }

  private static long mix(long state) {
    long z = (state ^ (state >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
