package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.MicroBatches;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.nativeddp.GradientReducer;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.optimizer.LinearSchedule;
import org.glmtuner.wire.Entry;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.StepReport;
import org.glmtuner.wire.TrainAssignment;

/**
 * One optimiser step over all ranks: forward and backward of this rank's samples, the sum of the
 * prefix gradients, clipping, update. What comes out does not depend on how samples were dealt to
 * ranks and micro-batches, but for the order of summation.
 */
final class TrainStep implements AutoCloseable {

  /** A step's report and the ids of this rank's samples whose loss is not finite. */
  record Outcome(StepReport report, List<Long> nonFinite) {}

  private final FrozenTransformer transformer;
  private final WatchedEncoder encoder;
  private final HfAdamW optimizer;
  private final DistributedGroup group;
  private final TrainingConfig training;
  private final int microBatchTokens;
  private final LinearSchedule schedule;
  private final PrefixDropout dropout;
  private final NDManager manager;
  private final NDArray gradient; // [L, 2, P, H], the sum of the step so far
  private final GradientReducer reducer;

  TrainStep(
      TrainAssignment assignment,
      FrozenTransformer transformer,
      WatchedEncoder encoder,
      HfAdamW optimizer,
      DistributedGroup group,
      NDManager parent) {
    this.transformer = transformer;
    this.encoder = encoder;
    this.optimizer = optimizer;
    this.group = group;
    this.training = assignment.training();
    this.microBatchTokens = assignment.microBatchTokens();
    this.schedule =
        new LinearSchedule(training.optimizer().learningRate(), assignment.span().end());
    this.dropout = new PrefixDropout(training.prefixDropout(), assignment.seed());
    this.manager = parent.newSubManager();
    this.gradient = manager.zeros(encoder.encoder().boundary());
    this.reducer = group.reducer(gradient);
  }

  /** Collective. */
  Outcome run(Frame.Step step) {
    long start = System.nanoTime();
    double productsBefore = transformer.products().seconds();
    optimizer.clear(gradient);
    Sums sums = new Sums();
    try (NDManager scope = manager.newSubManager()) {
      NDArray keysAndValues = encoder.keysAndValues(scope);
      MicroBatches<Entry> microBatches =
          new MicroBatches<>(
              step.entries().iterator(),
              entry -> entry.sample().inputIds().length - 1,
              microBatchTokens);
      while (microBatches.hasNext()) {
        List<Entry> entries = microBatches.next();
        double[] losses =
            transformer.forwardBackward(
                entries,
                training.lossAverage(),
                keysAndValues,
                dropout,
                gradient,
                microBatches.hasNext() ? null : reducer);
        sums.add(entries, losses, training.lossAverage());
      }
      if (step.entries().isEmpty()) {
        reducer.reduceAll();
      }
      GradientReducer.Timing timing = group.finish(reducer);
      double[] total = sums.toArray();
      group.sum(total);
      double divisor =
          training.lossAverage() == LossAverage.SAMPLE ? step.samples() : total[Sums.LABELS];
      checkComplete(step, total);
      StepReport report = update(step, total, divisor, timing, start, productsBefore);
      return new Outcome(report, sums.nonFinite);
    }
  }

  private StepReport update(
      Frame.Step step,
      double[] total,
      double divisor,
      GradientReducer.Timing timing,
      long start,
      double productsBefore) {
    Map<String, NDArray> gradients = encoder.gradients(gradient);
    long known = System.nanoTime();
    double loss = total[Sums.LOSS] / divisor;
    double norm = optimizer.norm(gradients.values(), divisor);
    if (!group.agree(norm)) {
      throw new TunerException(
          ExitCode.TRAINING_FAILED,
          "Cannot go on: after the all-reduce of step "
              + (step.step() + 1)
              + " the ranks have different gradients; this one's norm is "
              + norm);
    }
    boolean finite = Double.isFinite(loss) && Double.isFinite(norm);
    double learningRate = schedule.rate(step.step());
    if (finite) {
      optimizer.step(gradients, divisor, norm, learningRate);
    }
    gradients.values().forEach(NDArray::close);
    long end = System.nanoTime();
    return new StepReport(
        step.step(),
        loss,
        norm,
        learningRate,
        (long) total[Sums.SAMPLES],
        (long) total[Sums.TOKENS],
        finite,
        new StepReport.Times(
            (end - start) / 1e9,
            (end - known) / 1e9,
            transformer.products().seconds() - productsBefore,
            timing.reduceSeconds(),
            timing.waitSeconds()));
  }

  /** [2, P, H] of the last step, summed over its samples on all ranks. */
  float[] gradient(int layer) {
    try (NDArray own = gradient.get(layer)) {
      return own.toFloatArray();
    }
  }

  private static void checkComplete(Frame.Step step, double[] total) {
    if ((long) total[Sums.SAMPLES] != step.samples()) {
      throw new IllegalStateException(
          "Invalid step "
              + (step.step() + 1)
              + ": the ranks have "
              + (long) total[Sums.SAMPLES]
              + " samples of "
              + step.samples());
    }
  }

  /** What is summed over samples and ranks, in FP64. */
  private static final class Sums {
    static final int LOSS = 0;
    static final int LABELS = 1;
    static final int SAMPLES = 2;
    static final int TOKENS = 3;

    private final double[] values = new double[4];
    final List<Long> nonFinite = new ArrayList<>();

    void add(List<Entry> entries, double[] losses, LossAverage average) {
      for (int i = 0; i < losses.length; i++) {
        var sample = entries.get(i).sample();
        values[LOSS] += losses[i] * FrozenTransformer.weight(sample, average);
        values[LABELS] += sample.labelCount();
        values[SAMPLES]++;
        values[TOKENS] += sample.inputIds().length;
        if (!Double.isFinite(losses[i])) {
          nonFinite.add(sample.id());
        }
      }
    }

    double[] toArray() {
      return values.clone();
    }
  }

  @Override
  public void close() {
    reducer.close();
    manager.close();
  }
}
