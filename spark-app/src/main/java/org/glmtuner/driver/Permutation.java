package org.glmtuner.driver;

/**
 * A pseudo-random bijection of 0 … size-1 that needs no table and can be inverted: a Feistel
 * network over the smallest even number of bits that holds the range, walked until it stays inside
 * (at most four times as many values, so fewer than four steps on average).
 */
final class Permutation {
  private static final int ROUNDS = 6;

  private final long size;
  private final int halfBits;
  private final long halfMask;
  private final long[] keys = new long[ROUNDS];

  Permutation(long seed, long epoch, long size) {
    if (size < 1) {
      throw new IllegalArgumentException(
          "Invalid size: " + size + " (a permutation needs at least one element)");
    }
    this.size = size;
    int bits = Math.max(2, Long.SIZE - Long.numberOfLeadingZeros(size - 1));
    this.halfBits = (bits + 1) / 2;
    this.halfMask = (1L << halfBits) - 1;
    long state = mix(mix(seed) + epoch);
    for (int round = 0; round < ROUNDS; round++) {
      state += 0x9e3779b97f4a7c15L; // the golden ratio, as in SplitMix64
      keys[round] = mix(state);
    }
  }

  long apply(long index) {
    check(index);
    long value = index;
    do {
      long left = value >>> halfBits;
      long right = value & halfMask;
      for (long key : keys) {
        long next = left ^ (mix(right ^ key) & halfMask);
        left = right;
        right = next;
      }
      value = left << halfBits | right;
    } while (value >= size);
    return value;
  }

  /** The index that {@link #apply} maps to {@code image}. */
  long invert(long image) {
    check(image);
    long value = image;
    do {
      long left = value >>> halfBits;
      long right = value & halfMask;
      for (int round = ROUNDS - 1; round >= 0; round--) {
        long previous = right ^ (mix(left ^ keys[round]) & halfMask);
        right = left;
        left = previous;
      }
      value = left << halfBits | right;
    } while (value >= size);
    return value;
  }

  private void check(long value) {
    if (value < 0 || value >= size) {
      throw new IndexOutOfBoundsException(
          "Invalid index: " + value + " (the permutation is of " + size + " elements)");
    }
  }

  /** The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
