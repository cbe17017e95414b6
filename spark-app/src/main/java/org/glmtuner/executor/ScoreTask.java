package org.glmtuner.executor;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.glmtuner.data.Sample;
import org.glmtuner.wire.Frame;

/** The teacher-forced loss of samples. */
public final class ScoreTask extends ServeTask<Sample, SampleLoss> {
  private static final long serialVersionUID = 1L;

  public ScoreTask(ServePlan plan) {
    super(plan);
  }

  @Override
  int cachedTokens() {
    return 0;
  }

  @Override
  void answer(Iterator<Sample> samples, int tokens, Dialogue rank, List<SampleLoss> answers)
      throws InterruptedException {
    boolean prefix = !plan().checkpoint().isEmpty();
    while (samples.hasNext()) {
      List<Sample> batch = batch(samples, tokens);
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

  /** Up to the token budget, and one sample at least. */
  private static List<Sample> batch(Iterator<Sample> samples, int budget) {
    List<Sample> batch = new ArrayList<>();
    int tokens = 0;
    while (samples.hasNext() && tokens < budget) {
      Sample sample = samples.next();
      tokens += sample.inputIds().length;
      batch.add(sample);
    }
    return batch;
  }
}
