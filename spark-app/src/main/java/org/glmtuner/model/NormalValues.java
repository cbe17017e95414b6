package org.glmtuner.model;

import java.util.SplittableRandom;

/**
 * Standard normal values from a seed, the same bits on every machine: torch's own generator gives
 * others with other instruction sets. Box and Muller's method over {@link SplittableRandom} and
 * {@link StrictMath}.
 */
public final class NormalValues {
  private final SplittableRandom random;

  public NormalValues(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** The next {@code count} values. */
  public float[] take(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i += 2) {
      double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
      double angle = 2 * StrictMath.PI * random.nextDouble();
      values[i] = (float) (radius * StrictMath.cos(angle));
      if (i + 1 < count) {
        values[i + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
    return values;
  }
}
