package org.glmtuner.executor;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.glmtuner.data.Sample;
import org.glmtuner.wire.Entry;
import org.glmtuner.wire.Frame;
import scala.Tuple2;

/**
 * The frames that a rank trains on, from its partition's rows in {@link RowKey} order: the
 * validation rows, a frame for every step whether it has samples here or not, and the end. Rows are
 * read as frames are asked for, on the task's own thread.
 */
final class RankFeed {
  private static final int VALIDATION_ROWS_PER_FRAME = 256;

  private final Iterator<Tuple2<RowKey, Sample>> rows;
  private final AttemptPlan.Steps steps;
  private Tuple2<RowKey, Sample> ahead;
  private long step;
  private boolean ended;

  RankFeed(Iterator<Tuple2<RowKey, Sample>> rows, AttemptPlan.Steps steps) {
    this.rows = rows;
    this.steps = steps;
    this.step = steps.first();
    advance();
  }

  /** Steps that were handed out. */
  long stepsGiven() {
    return step - steps.first();
  }

  boolean hasNext() {
    return !ended;
  }

  Frame next() {
    if (ahead != null && ahead._1().step() == RowKey.VALIDATION) {
      return validationRows();
    }
    if (step == steps.end()) {
      if (ahead != null) {
        throw new IllegalStateException(
            "Invalid row " + ahead._1() + " (the last step is " + (steps.end() - 1) + ")");
      }
      ended = true;
      return new Frame.End();
    }
    List<Entry> entries = new ArrayList<>();
    while (ahead != null && ahead._1().step() == step) {
      entries.add(new Entry(ahead._1().index(), ahead._2()));
      advance();
    }
    Frame frame = new Frame.Step(step, steps.samplesOf(step), entries);
    step++;
    return frame;
  }

  private Frame validationRows() {
    List<Sample> samples = new ArrayList<>();
    while (ahead != null
        && ahead._1().step() == RowKey.VALIDATION
        && samples.size() < VALIDATION_ROWS_PER_FRAME) {
      samples.add(ahead._2());
      advance();
    }
    return new Frame.ValidationRows(samples);
  }

  private void advance() {
    ahead = rows.hasNext() ? rows.next() : null;
  }
}
