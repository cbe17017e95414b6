package org.glmtuner.executor;

import java.io.Serializable;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.HadoopSettings;

/**
 * What the driver decided for a job of ranks that score or generate, each on its own.
 *
 * @param attempt names the job in messages
 * @param ranks in all
 * @param cores of each
 * @param checkpoint directory of the prefix; empty for the base alone
 * @param compareBase whether each answer is wanted without the prefix too
 */
public record ServePlan(
    String attempt,
    TunerConfig config,
    HadoopSettings settings,
    int ranks,
    int cores,
    MicroBatchMemory microBatches,
    String checkpoint,
    boolean compareBase)
    implements Serializable {}
