package org.glmtuner.model;

import java.util.SplittableRandom;

/**
 * Random values from a seed, the same bits on every machine: torch's own generator gives others
 * with other instruction sets. {@link SplittableRandom} and {@link StrictMath}.
 */
public final class RandomValues {
  private final SplittableRandom random;

  public RandomValues(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** The next {@code count} standard normal values, by the method of Box and Muller. */
  public float[] normal(int count) {
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

  /** The next {@code count} values, evenly spread between -{@code bound} and {@code bound}. */
  public float[] uniform(int count, double bound) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
    }
    return values;
  }
}
