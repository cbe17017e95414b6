package org.glmtuner.rank;

import org.glmtuner.checkpoint.TrainerState;

/** The least loss on the validation rows, and for how many measurements there was no lower one. */
final class BestLoss {
  private Double best;
  private int since;

  /** Goes on where a checkpoint was made. */
  BestLoss(TrainerState state) {
    this.best = state.bestEvalLoss();
    this.since = state.evaluationsSinceBest();
  }

  /** Notes a measurement; true if it is the best so far. NaN and infinity never are. */
  boolean add(double loss) {
    boolean better = Double.isFinite(loss) && (best == null || loss < best);
    if (better) {
      best = loss;
      since = 0;
    } else {
      since++;
    }
    return better;
  }

  /** Null before the first. */
  Double value() {
    return best;
  }

  /** Measurements since the best one. */
  int since() {
    return since;
  }

  /** Whether training is to end; {@code patience} 0 means never. */
  boolean exhausts(int patience) {
    return patience > 0 && since >= patience;
  }
}
