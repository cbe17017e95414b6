package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class PermutationTest {
  @Property(tries = 200)
  void isABijectionWithItsInverse(
      @ForAll long seed,
      @ForAll @IntRange(max = 1000) int epoch,
      @ForAll @LongRange(min = 1, max = 700) long size) {
    Permutation permutation = new Permutation(seed, epoch, size);
    Set<Long> images = new HashSet<>();
    for (long i = 0; i < size; i++) {
      long image = permutation.apply(i);
      assertThat(image).isBetween(0L, size - 1);
      assertThat(permutation.invert(image)).isEqualTo(i);
      images.add(image);
    }
    assertThat(images).hasSize((int) size);
  }

  @Property(tries = 200)
  void holdsForLargeRanges(
      @ForAll long seed, @ForAll @LongRange(min = 1, max = 1L << 40) long size) {
    Permutation permutation = new Permutation(seed, 0, size);
    long index = Long.remainderUnsigned(seed, size);
    assertThat(permutation.invert(permutation.apply(index))).isEqualTo(index);
  }

  @Test
  void seedsAndEpochsGiveDifferentOrders() {
    assertThat(order(1, 0)).isNotEqualTo(order(1, 1)).isNotEqualTo(order(2, 0));
    assertThat(order(1, 0)).isEqualTo(order(1, 0));
  }

  /** A shuffle should leave about one element in place, and neighbours should part. */
  @Test
  void mixesWell() {
    int size = 4096;
    long fixed = 0;
    long neighbours = 0;
    for (int seed = 0; seed < 20; seed++) {
      Permutation permutation = new Permutation(seed, 0, size);
      fixed += LongStream.range(0, size).filter(i -> permutation.apply(i) == i).count();
      neighbours +=
          LongStream.range(1, size)
              .filter(i -> Math.abs(permutation.apply(i) - permutation.apply(i - 1)) == 1)
              .count();
    }
    assertThat(fixed).as("fixed points of 20 permutations, 20 expected").isBetween(5L, 45L);
    assertThat(neighbours).as("neighbours that stay, 40 expected").isBetween(15L, 75L);
  }

  @Test
  void refusesWhatIsOutside() {
    assertThatThrownBy(() -> new Permutation(1, 0, 0)).hasMessageContaining("Invalid size: 0");
    assertThatThrownBy(() -> new Permutation(1, 0, 3).apply(3))
        .hasMessageContaining("Invalid index: 3");
  }

  private static long[] order(long seed, long epoch) {
    Permutation permutation = new Permutation(seed, epoch, 100);
    return LongStream.range(0, 100).map(permutation::apply).toArray();
  }
}
