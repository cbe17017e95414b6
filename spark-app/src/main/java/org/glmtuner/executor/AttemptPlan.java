package org.glmtuner.executor;

import java.io.Serializable;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.HadoopSettings;

/**
 * What the driver decided for one attempt; travels to every task.
 *
 * @param attempt names the attempt in every message; random, so that no leftover of an older one
 *     fits
 * @param cores of each rank
 * @param resumeFrom name of the checkpoint directory that the attempt continues; empty at a run's
 *     start
 */
public record AttemptPlan(
    String attempt,
    TunerConfig config,
    HadoopSettings settings,
    int cores,
    MicroBatchMemory microBatches,
    String resumeFrom,
    Steps steps)
    implements Serializable {

  /**
   * The steps of the attempt: {@code first} to {@code end} - 1 of a run that ends at {@code end}.
   *
   * @param globalBatch samples of every step but perhaps the last
   * @param lastBatch samples of step {@code end} - 1
   */
  public record Steps(long first, long end, int globalBatch, int lastBatch)
      implements Serializable {
    /** Samples of a step over all ranks. */
    public int samplesOf(long step) {
      return step == end - 1 ? lastBatch : globalBatch;
    }
  }

  /** Where the checkpoint of a step is gathered before it is published. */
  String temporaryCheckpoint(long step) {
    return ".checkpoint-" + step + "." + attempt + ".tmp";
  }
}
