package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MicroBatchesTest {
  private static List<List<Integer>> lengths(int budget, Integer... lengths) {
    List<List<Integer>> cut = new ArrayList<>();
    new MicroBatches<>(List.of(lengths).iterator(), length -> length, budget)
        .forEachRemaining(cut::add);
    return cut;
  }

  @Test
  void aPieceHoldsNoMoreThanTheBudget() {
    assertThat(lengths(10, 4, 6, 3, 8, 2))
        .containsExactly(List.of(4, 6), List.of(3), List.of(8, 2));
  }

  @Test
  void aLongerItemIsAPieceOfItsOwn() {
    assertThat(lengths(10, 30, 4, 12)).containsExactly(List.of(30), List.of(4), List.of(12));
    assertThat(lengths(10)).isEmpty();
  }
}
