package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.data.Sample;
import org.junit.jupiter.api.Test;

class ScoreTaskTest {
  private static Sample sample(int length) {
    int[] ids = IntStream.range(0, length).toArray();
    return new Sample(length, ids, ids, 1, 0);
  }

  private static List<List<Integer>> lengths(int budget, int... lengths) {
    List<Sample> samples = IntStream.of(lengths).mapToObj(ScoreTaskTest::sample).toList();
    List<List<Integer>> cut = new ArrayList<>();
    new ScoreTask.Batches(samples.iterator(), budget)
        .forEachRemaining(
            batch -> cut.add(batch.stream().map(each -> each.inputIds().length).toList()));
    return cut;
  }

  @Test
  void aPieceHoldsNoMoreThanTheBudget() {
    assertThat(lengths(10, 4, 6, 3, 8, 2))
        .containsExactly(List.of(4, 6), List.of(3), List.of(8, 2));
  }

  @Test
  void aLongerSampleIsAPieceOfItsOwn() {
    assertThat(lengths(10, 30, 4, 12)).containsExactly(List.of(30), List.of(4), List.of(12));
    assertThat(lengths(10)).isEmpty();
  }
}
