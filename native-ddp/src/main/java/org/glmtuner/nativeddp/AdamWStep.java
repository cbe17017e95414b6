package org.glmtuner.nativeddp;

import static org.glmtuner.nativeddp.Checks.check;

/**
 * One step of AdamW as Hugging Face defines it: with {@code g = gradientFactor · gradient} and m
 * and v as usual,
 *
 * <pre>
 * w -= learningRate · √(1 - β2^t) / (1 - β1^t) · m / (√v + ε)
 * w -= learningRate · weightDecay · w
 * </pre>
 *
 * @param number t, counted from 1
 * @param gradientFactor averaging and clipping in one
 */
public record AdamWStep(
    AdamWSettings settings, long number, double learningRate, double gradientFactor) {
  public AdamWStep {
    check(number >= 1, "optimiser step", number, "counted from 1");
  }

  /** What stays the same over a run. */
  public record AdamWSettings(double beta1, double beta2, double epsilon, double weightDecay) {
    /** Those of the official recipe: 0.9, 0.999, 1e-8, no decay. */
    public static final AdamWSettings OFFICIAL = new AdamWSettings(0.9, 0.999, 1e-8, 0);

    public AdamWSettings {
      check(beta1 >= 0 && beta1 < 1, "beta1", beta1, "must be at least 0 and below 1");
      check(beta2 >= 0 && beta2 < 1, "beta2", beta2, "must be at least 0 and below 1");
      check(epsilon > 0, "epsilon", epsilon, "must be positive");
      check(weightDecay >= 0, "weight decay", weightDecay, "must not be negative");
    }
  }
}
