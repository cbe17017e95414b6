package org.glmtuner.executor;

import java.io.Serializable;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.HadoopSettings;

/**
 * What hosts and ranks are checked for.
 *
 * @param attempt names the checks in messages
 * @param ranks that a run would have; 0 for as many as there is room for
 * @param cores of each rank; 0 for what the host has
 * @param base what is to be trained; null where no model is configured
 * @param storage directory in which a file is written and removed again, the nearest one that
 *     exists; empty for none
 */
public record DoctorPlan(
    String attempt,
    TunerConfig config,
    HadoopSettings settings,
    int ranks,
    int cores,
    Base base,
    String storage)
    implements Serializable {

  /** Of the gradient of ChatGLM-6B's prefix of 128 tokens, [L, 2, P, H]: 117 MB. */
  static final int[] GRADIENT = {28, 2, 128, 4096};

  /** Sums of each kind. */
  static final int ROUNDS = 5;

  /** For each measurement of rates. */
  static final double RATE_SECONDS = 1;

  /**
   * The frozen model.
   *
   * @param fingerprint of its weights
   */
  public record Base(String fingerprint, MicroBatchMemory memory) implements Serializable {}
}
