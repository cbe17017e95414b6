package org.glmtuner.rank;

import static org.assertj.core.api.Assertions.assertThat;

import org.glmtuner.checkpoint.TrainerState;
import org.junit.jupiter.api.Test;

class BestLossTest {
  private final BestLoss best = new BestLoss(TrainerState.start());

  @Test
  void onlyALowerLossIsBetter() {
    assertThat(best.add(2)).isTrue();
    assertThat(best.add(2)).isFalse();
    assertThat(best.add(3)).isFalse();
    assertThat(best.since()).isEqualTo(2);
    assertThat(best.add(1)).isTrue();
    assertThat(best.value()).isEqualTo(1);
    assertThat(best.since()).isZero();
  }

  @Test
  void nanIsNeverBetterNotEvenAsTheFirst() {
    assertThat(best.add(Double.NaN)).isFalse();
    assertThat(best.value()).isNull();
    assertThat(best.add(5)).isTrue();
    assertThat(best.add(Double.NaN)).isFalse();
    assertThat(best.value()).isEqualTo(5);
  }

  @Test
  void patienceIsExhaustedAfterSoManyInARowAndNeverWhereItIsZero() {
    best.add(1);
    best.add(2);
    assertThat(best.exhausts(2)).isFalse();
    best.add(2);
    assertThat(best.exhausts(2)).isTrue();
    assertThat(best.exhausts(0)).isFalse();
  }

  @Test
  void itGoesOnWhereACheckpointWasMade() {
    BestLoss resumed = new BestLoss(new TrainerState(9, 9, 0, 1.0, 1));
    resumed.add(1.5);
    assertThat(resumed.exhausts(2)).isTrue();
  }
}
