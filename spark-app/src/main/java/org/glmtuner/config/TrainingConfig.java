package org.glmtuner.config;

import java.io.Serializable;

/** {@code training}: the recipe. */
public record TrainingConfig(
    Length length,
    int globalBatch,
    MicroBatchTokens microBatchTokens,
    Optimizer optimizer,
    double prefixDropout,
    LossAverage lossAverage,
    int maxNonFiniteSteps,
    Validation validation,
    Intervals intervals)
    implements Serializable {
  private static final String AUTO = "auto";

  /** How the loss of a step is averaged. */
  public enum LossAverage {
    /**
     * Mean over samples of each sample's mean token loss: the official micro-batch of 1 with
     * accumulation.
     */
    SAMPLE,
    /** Mean over all labelled tokens of the step. */
    TOKEN
  }

  /**
   * How long to train: {@code maxSteps} optimiser steps, or {@code epochs} passes over the rows
   * where that is above 0.
   */
  public record Length(int maxSteps, int epochs) implements Serializable {}

  /**
   * HF AdamW with a learning rate that falls linearly to 0; {@code clipNorm} 0 means no clipping.
   */
  public record Optimizer(double learningRate, double weightDecay, double clipNorm)
      implements Serializable {}

  /**
   * Measuring on the validation rows while training.
   *
   * @param every steps between two measurements; 0 for only before the first and after the last
   * @param patience measurements without an improvement after which the run ends; 0 for never
   */
  public record Validation(int every, int patience) implements Serializable {}

  /** Steps between two records, two checkpoints, and how many checkpoints stay (0: all). */
  public record Intervals(int logEvery, int checkpointEvery, int keepCheckpoints)
      implements Serializable {}

  static TrainingConfig read(Section section) {
    int most = Integer.MAX_VALUE;
    return new TrainingConfig(
        new Length(section.integer("max-steps", 1, most), section.integer("epochs", 0, most)),
        section.integer("global-batch", 1, 1 << 20),
        microBatchTokens(section),
        new Optimizer(
            section.number("learning-rate", 0, 1e3),
            section.number("weight-decay", 0, 1e3),
            section.number("clip-norm", 0, 1e9)),
        section.number("prefix-dropout", 0, 1),
        section.choice("loss-average", LossAverage.values()),
        section.integer("max-non-finite-steps", 0, most),
        new Validation(
            section.integer("eval-every", 0, most),
            section.integer("early-stop-patience", 0, most)),
        new Intervals(
            section.integer("log-every", 1, most),
            section.integer("checkpoint-every", 1, most),
            section.integer("keep-checkpoints", 0, most)));
  }

  private static MicroBatchTokens microBatchTokens(Section section) {
    String key = "micro-batch-tokens";
    return section.is(key, AUTO)
        ? new MicroBatchTokens.Auto()
        : new MicroBatchTokens.Given(section.integer(key, 1, 1 << 24, " or " + AUTO));
  }
}
