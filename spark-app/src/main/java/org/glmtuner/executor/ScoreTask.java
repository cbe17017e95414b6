package org.glmtuner.executor;

import java.util.Iterator;
import java.util.List;
import org.glmtuner.data.MicroBatches;
import org.glmtuner.data.Sample;
import org.glmtuner.model.RankMemory;
import org.glmtuner.wire.Frame;

/** The teacher-forced loss of samples. */
public final class ScoreTask extends ServeTask<Sample, SampleLoss> {
  private static final long serialVersionUID = 1L;

  public ScoreTask(ServePlan plan) {
    super(plan);
  }

  @Override
  RankMemory.Sequences sequences() {
    return RankMemory.Sequences.NONE;
  }

  @Override
  void answer(Iterator<Sample> samples, int tokens, Dialogue rank, List<SampleLoss> answers)
      throws InterruptedException {
    boolean prefix = !plan().checkpoint().isEmpty();
    MicroBatches<Sample> batches =
        new MicroBatches<>(samples, sample -> sample.inputIds().length, tokens);
    while (batches.hasNext()) {
      List<Sample> batch = batches.next();
      double[] losses = ((Frame.Scored) rank.ask(new Frame.Score(batch, prefix))).losses();
      double[] base =
          plan().compareBase()
              ? ((Frame.Scored) rank.ask(new Frame.Score(batch, false))).losses()
              : null;
      for (int i = 0; i < losses.length; i++) {
        answers.add(
            new SampleLoss(
                batch.get(i).id(),
                losses[i],
                base == null ? Double.NaN : base[i],
                batch.get(i).labelCount()));
      }
      rank.done(batch.size());
    }
  }
}
