package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.nativeddp.PlacementRefusedException;
import org.glmtuner.nativeddp.WeightPlacement;
import org.glmtuner.placement.RankPlacement;
import org.junit.jupiter.api.Test;

class PlacedWeightsTest {
  private static final String FULL = "a copy on NUMA node 8 needs 12 bytes, available are 3";

  /** Refuses copies. */
  private static String onAFullNode(WeightPlacement placement) {
    if (!placement.nodes().isEmpty()) {
      throw new PlacementRefusedException(FULL);
    }
    return "mapped";
  }

  private static RankPlacement copy(boolean required) {
    return new RankPlacement(List.of(8), false, 8, required, false);
  }

  @Test
  void aCopyIsWhereItWasPlanned() {
    PlacedWeights<WeightPlacement> placed = PlacedWeights.open(copy(true), p -> p);
    assertThat(placed.opened()).isEqualTo(new WeightPlacement(List.of(8), false));
    assertThat(placed.describe(new int[] {8, 8, 8}))
        .isEqualTo("weights in a copy of its own, of 3 pages 3 on NUMA node 8");
    assertThat(PlacedWeights.open(RankPlacement.MAPPED, p -> p).describe(new int[] {1, 0, 1}))
        .isEqualTo("weights mapped, of 3 pages 1 on NUMA node 0, 2 on NUMA node 1");
  }

  @Test
  void aCopyThatIsOnlyAPreferenceGivesWayToTheFileAndSaysSo() {
    PlacedWeights<String> placed = PlacedWeights.open(copy(false), PlacedWeightsTest::onAFullNode);
    assertThat(placed.opened()).isEqualTo("mapped");
    assertThat(placed.describe(new int[0]))
        .isEqualTo("weights mapped, not copied as planned: " + FULL);
  }

  @Test
  void aCopyThatIsAskedForIsNotGivenUp() {
    assertThatThrownBy(() -> PlacedWeights.open(copy(true), PlacedWeightsTest::onAFullNode))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(FULL + " (memory.weights and memory.kind = auto would map the file)");
  }

  @Test
  void aFileThatCannotBeUsedIsAFailureOfItsOwnAndNotTriedAgain() {
    for (RankPlacement plan : List.of(RankPlacement.MAPPED, copy(false), copy(true))) {
      List<WeightPlacement> tried = new ArrayList<>();
      assertThatThrownBy(
              () ->
                  PlacedWeights.open(
                      plan,
                      placement -> {
                        tried.add(placement);
                        throw new IllegalStateException("damaged");
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("damaged");
      assertThat(tried).hasSize(1);
    }
  }
}
