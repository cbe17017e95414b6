package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.OptionalDouble;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.MicroBatches;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.wire.TrainAssignment;

/** The teacher-forced loss on samples that are dealt over the ranks, without dropout. */
final class Evaluation {
  private final FrozenTransformer transformer;
  private final DistributedGroup group;
  private final LossAverage average;
  private final int microBatchTokens;
  private final NDManager manager;

  Evaluation(
      FrozenTransformer transformer,
      DistributedGroup group,
      TrainAssignment assignment,
      NDManager manager) {
    this.transformer = transformer;
    this.group = group;
    this.average = assignment.training().lossAverage();
    this.microBatchTokens = assignment.microBatchTokens();
    this.manager = manager;
  }

  /**
   * Collective.
   *
   * @param samples of this rank
   * @param encoder null for the base alone
   * @return the mean over all ranks' samples as {@code training.loss-average} says; nothing where
   *     there are none
   */
  OptionalDouble loss(List<Sample> samples, WatchedEncoder encoder) {
    double[] sums = new double[2]; // weighted losses, divisor
    try (NDManager scope = manager.newSubManager()) {
      NDArray keysAndValues = encoder == null ? null : encoder.keysAndValues(scope);
      MicroBatches<Sample> pieces =
          new MicroBatches<>(
              samples.iterator(), sample -> sample.inputIds().length - 1, microBatchTokens);
      while (pieces.hasNext()) {
        List<Sample> piece = pieces.next();
        double[] losses = transformer.losses(piece, keysAndValues);
        for (int i = 0; i < losses.length; i++) {
          sums[0] += losses[i] * FrozenTransformer.weight(piece.get(i), average);
          sums[1] += average == LossAverage.SAMPLE ? 1 : piece.get(i).labelCount();
        }
      }
    }
    group.sum(sums);
    double loss = sums[0] / sums[1];
    if (!group.agree(loss)) { // ranks decide by it when to stop
      throw new TunerException(
          ExitCode.TRAINING_FAILED,
          "Cannot go on: the ranks have different losses on the validation rows; this one's is "
              + loss);
    }
    return sums[1] == 0 ? OptionalDouble.empty() : OptionalDouble.of(loss);
  }
}
