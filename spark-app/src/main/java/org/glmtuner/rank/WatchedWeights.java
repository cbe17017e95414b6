package org.glmtuner.rank;

import java.util.concurrent.atomic.AtomicLong;
import org.glmtuner.nativeddp.WeightListener;
import org.glmtuner.wire.Frame.Phase;

/**
 * Has signs of life speak of the weights while they are read, or while another rank copies them.
 */
final class WatchedWeights implements WeightListener {
  private final TaskLink task;
  private final AtomicLong bytes = new AtomicLong();
  private TaskLink.Activity waiting;

  /** Signs of life show how far the reading is, until they are told to watch something else. */
  WatchedWeights(TaskLink task) {
    this.task = task;
    task.watch(bytes::get);
  }

  @Override
  public void read(long more) {
    bytes.addAndGet(more);
  }

  @Override
  public void waiting(boolean waits) {
    if (waits) {
      waiting = task.enter(Phase.WAITING_FOR_WEIGHTS);
    } else {
      waiting.close();
    }
  }
}
