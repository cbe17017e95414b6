package org.glmtuner.wire;

import org.glmtuner.config.TrainingConfig;
import org.glmtuner.model.ChatGlmConfig;

/**
 * What a rank is to train.
 *
 * @param prefixFile local prefix.safetensors or official pytorch_model.bin to start from; empty for
 *     random values
 * @param resumeDirectory local copy of a checkpoint to continue; empty at a run's start
 * @param snapshotDirectory where rank 0 writes checkpoints
 * @param microBatchTokens what {@code training.micro-batch-tokens} comes to on this host
 */
public record TrainAssignment(
    Membership membership,
    BaseModel base,
    ChatGlmConfig.Prefix prefix,
    String prefixFile,
    String resumeDirectory,
    String snapshotDirectory,
    TrainingConfig training,
    int microBatchTokens,
    Span span,
    long seed) {

  /**
   * The rank's place in the process group.
   *
   * @param pmiSocket where its task serves PMI-1
   */
  public record Membership(int rank, int worldSize, String mpiLibrary, String pmiSocket) {}

  /**
   * Steps {@code first} to {@code end} - 1 are to be done; the schedule falls to 0 at {@code end}.
   */
  public record Span(long first, long end) {}
}
