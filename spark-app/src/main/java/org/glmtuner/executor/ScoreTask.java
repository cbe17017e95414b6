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
    Batches batches = new Batches(samples, tokens);
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

  /** Cuts samples into pieces of at most so many tokens; a longer one is a piece of its own. */
  static final class Batches implements Iterator<List<Sample>> {
    private final Iterator<Sample> samples;
    private final int budget;
    private Sample waiting; // did not fit into the piece before

    Batches(Iterator<Sample> samples, int budget) {
      this.samples = samples;
      this.budget = budget;
    }

    @Override
    public boolean hasNext() {
      return waiting != null || samples.hasNext();
    }

    @Override
    public List<Sample> next() {
      List<Sample> batch = new ArrayList<>();
      int tokens = 0;
      while (hasNext()) {
        Sample sample = waiting == null ? samples.next() : waiting;
        waiting = null;
        tokens += sample.inputIds().length;
        if (!batch.isEmpty() && tokens > budget) {
          waiting = sample;
          break;
        }
        batch.add(sample);
      }
      return batch;
    }
  }
}
