package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.glmtuner.config.TrainingConfig.Length;
import org.glmtuner.executor.AttemptPlan.Steps;
import org.junit.jupiter.api.Test;

class SampleScheduleTest {
  private static final SampleSchedule SHUFFLED = new SampleSchedule(42, 10, true, 4);
  private static final SampleSchedule IN_ORDER = new SampleSchedule(42, 10, false, 4);

  @Test
  void withoutShufflingEntriesFollowTheFilesOverAndOver() {
    assertThat(IntStream.range(0, 12).mapToLong(IN_ORDER::sampleOf))
        .containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 0L, 1L);
  }

  @Test
  void everyEpochUsesEverySampleOnceInAnOrderOfItsOwn() {
    Set<java.util.List<Long>> orders = new HashSet<>();
    for (long epoch = 0; epoch < 5; epoch++) {
      java.util.List<Long> order = new java.util.ArrayList<>();
      for (long entry = epoch * 10; entry < epoch * 10 + 10; entry++) {
        order.add(SHUFFLED.sampleOf(entry));
        assertThat(SHUFFLED.entryOf(epoch, SHUFFLED.sampleOf(entry))).isEqualTo(entry);
      }
      assertThat(order).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
      orders.add(order);
    }
    assertThat(orders).hasSize(5);
  }

  @Test
  void byEpochsTheLastStepIsShort() {
    Steps steps = IN_ORDER.steps(new Length(3000, 3), 0);
    assertThat(steps).isEqualTo(new Steps(0, 8, 4, 2));
    assertThat(steps.samplesOf(6)).isEqualTo(4);
    assertThat(steps.samplesOf(7)).isEqualTo(2);
    assertThat(IN_ORDER.steps(new Length(3000, 0), 5)).isEqualTo(new Steps(5, 3000, 4, 4));
    assertThat(new SampleSchedule(1, 8, true, 4).steps(new Length(1, 1), 0))
        .isEqualTo(new Steps(0, 2, 4, 4));
  }

  @Test
  void tokensAreDealtEvenly() {
    Random random = new Random(3);
    int[] tokens = IntStream.range(0, 1000).map(i -> 10 + random.nextInt(120)).toArray();
    SampleSchedule schedule = new SampleSchedule(1, tokens.length, true, 16);
    Steps steps = schedule.steps(new Length(50, 0), 10);
    SampleSchedule.Deal deal = schedule.deal(steps, tokens, 4);
    assertThat(deal.firstEntry()).isEqualTo(160);
    assertThat(deal.endEntry()).isEqualTo(800);
    for (long step = 10; step < 50; step++) {
      long[] load = new long[4];
      for (long entry = step * 16; entry < step * 16 + 16; entry++) {
        load[deal.partition(entry)] += tokens[(int) schedule.sampleOf(entry)];
      }
      long most = Arrays.stream(load).max().orElseThrow();
      assertThat((double) most * 4 / Arrays.stream(load).sum())
          .as("imbalance of step %d", step)
          .isLessThan(1.12);
    }
  }

  @Test
  void aDealOverFewerSamplesThanPartitionsLeavesSomeEmpty() {
    SampleSchedule schedule = new SampleSchedule(1, 3, false, 2);
    SampleSchedule.Deal deal =
        schedule.deal(schedule.steps(new Length(1, 0), 0), new int[] {5, 9, 1}, 4);
    assertThat(deal.partitionOf()).containsExactly(1, 0);
  }

  @Test
  void aFinishedRunHasNothingToDeal() {
    SampleSchedule.Deal deal = IN_ORDER.deal(new Steps(8, 8, 4, 2), new int[10], 2);
    assertThat(deal.partitionOf()).isEmpty();
  }
}
