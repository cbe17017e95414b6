package org.glmtuner.driver;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.executor.AttemptPlan.Steps;

/**
 * Which sample is used when: one infinite sequence whose entry i is sample {@code
 * permutation(epoch)(i mod N)} with {@code epoch = i / N}; step s owns entries [s·B, (s+1)·B). A
 * pure function of seed, sample count, order and global batch: the same for every world size.
 *
 * @param seed keys the permutations
 * @param samples N
 * @param shuffle false: entry i is sample i mod N
 * @param globalBatch B
 */
record SampleSchedule(long seed, long samples, boolean shuffle, int globalBatch)
    implements Serializable {

  /**
   * The steps from {@code first} on of a run of the given length; by epochs, the last step may be
   * short.
   */
  Steps steps(TrainingConfig.Length length, long first) {
    if (length.epochs() == 0) {
      return new Steps(first, length.maxSteps(), globalBatch, globalBatch);
    }
    long entries = Math.multiplyExact(samples, length.epochs());
    long end = (entries + globalBatch - 1) / globalBatch;
    return new Steps(first, end, globalBatch, (int) (entries - (end - 1) * globalBatch));
  }

  /** The entry after the last one of step {@code step}. */
  private long endOfStep(Steps steps, long step) {
    return step * globalBatch + steps.samplesOf(step);
  }

  long sampleOf(long entry) {
    long index = entry % samples;
    return shuffle ? new Permutation(seed, entry / samples, samples).apply(index) : index;
  }

  /** Where in epoch {@code epoch} a sample is used. */
  long entryOf(long epoch, long sample) {
    return epoch * samples
        + (shuffle ? new Permutation(seed, epoch, samples).invert(sample) : sample);
  }

  /**
   * Deals the entries of each step out to partitions so that token counts are even: longest first,
   * each to the partition with the fewest tokens so far.
   *
   * @param tokens of each sample, by its number
   * @return the partition of each entry from the first one of {@code steps} on
   */
  Deal deal(Steps steps, int[] tokens, int partitions) {
    long firstEntry = steps.first() * globalBatch;
    long endEntry = steps.first() == steps.end() ? firstEntry : endOfStep(steps, steps.end() - 1);
    int[] partitionOf = new int[Math.toIntExact(endEntry - firstEntry)];
    for (long step = steps.first(); step < steps.end(); step++) {
      long from = step * globalBatch;
      int count = steps.samplesOf(step);
      int[] lengths =
          IntStream.range(0, count).map(i -> tokens[(int) sampleOf(from + i)]).toArray();
      long[] load = new long[partitions];
      IntStream.range(0, count)
          .boxed()
          .sorted(Comparator.comparingInt((Integer i) -> -lengths[i]).thenComparingInt(i -> i))
          .forEach(
              i -> {
                int lightest =
                    IntStream.range(0, partitions)
                        .boxed()
                        .min(Comparator.comparingLong(p -> load[p]))
                        .orElseThrow();
                load[lightest] += lengths[i];
                partitionOf[(int) (from - firstEntry) + i] = lightest;
              });
    }
    return new Deal(firstEntry, partitionOf);
  }

  /** The partition of each entry of an attempt, from {@code firstEntry} on. */
  record Deal(long firstEntry, int[] partitionOf) implements Serializable {
    long endEntry() {
      return firstEntry + partitionOf.length;
    }

    int partition(long entry) {
      return partitionOf[(int) (entry - firstEntry)];
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Deal deal
          && firstEntry == deal.firstEntry
          && Arrays.equals(partitionOf, deal.partitionOf);
    }

    @Override
    public int hashCode() {
      return 31 * Long.hashCode(firstEntry) + Arrays.hashCode(partitionOf);
    }
  }
}
