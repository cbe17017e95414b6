package org.glmtuner.planning;

import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.RankMemory.Shape;

/**
 * Predicts the time of a step.
 *
 * <p>A core packs the weights that it reads and then multiplies with them, so reading adds to the
 * products instead of hiding behind them: each micro-batch reads all weights twice, forward and
 * backward. What is between the products runs on vectors of FP32 whatever multiplies.
 *
 * <p>L layers, H hidden size, P virtual tokens, G bytes of the gradients that are summed.
 */
public final class StepModel {
  private static final int PASSES = 2; // forward, backward

  /**
   * Attention: two products forward, five backward, each 2·H operations for a token and a key that
   * it sees.
   */
  private static final double ATTENTION_OPERATIONS = 14;

  // Measured on a core of an AMD EPYC 9004 (native-ddp/benchmark/results): 0.25 ms per token and
  // layer of ChatGLM-6B with 220 keys, three quarters of it attention.
  private static final double ATTENTION_PER_SECOND = 68e9;
  private static final double ROW_SECONDS = 1.44e-8; // per token, layer and hidden unit

  /** Of libtorch's sgemm, likewise, for a projected prefix's own products. */
  private static final double SGEMM_PER_SECOND = 95e9;

  /** Likewise, per trainable value. */
  private static final double UPDATE_SECONDS = 1.4e-9;

  private final Shape model;
  private final Prefix prefix;
  private final long weightBytes;
  private final long trainableValues;

  /**
   * @param weightBytes of the weight file
   * @param trainableValues of the prefix encoder
   */
  public StepModel(Shape model, Prefix prefix, long weightBytes, long trainableValues) {
    this.model = model;
    this.prefix = prefix;
    this.weightBytes = weightBytes;
    this.trainableValues = trainableValues;
  }

  /** G: the gradients of keys and values, in FP32. */
  public long gradientBytes() {
    return 2 * model.layers() * prefix.length() * model.hidden() * Float.BYTES;
  }

  /** What each rank sends, and receives, in a step, as a ring does it: 2·(N−1)/N·G. */
  public long bytesPerRank(int ranks) {
    return Math.round(2.0 * (ranks - 1) / ranks * gradientBytes());
  }

  /**
   * The time of a step.
   *
   * @param cores of a rank
   * @param productsPerSecond of a core
   * @param readPerSecond bytes of weights that a rank reads
   * @param network seconds of the sum over ranks
   */
  public StepTime time(
      StepShare share, int cores, double productsPerSecond, double readPerSecond, double network) {
    double operations =
        Products.operations(model, share.tokens() - share.samples(), share.labelled());
    double products = operations / (productsPerSecond * cores);
    double reading = (double) PASSES * share.microBatches() * weightBytes / readPerSecond;
    double other = other(share) / cores;
    double backward = (products + reading + other) / share.microBatches() / PASSES;
    return new StepTime(
        products,
        reading,
        other,
        trainableValues * UPDATE_SECONDS,
        network,
        exposed(network, backward));
  }

  private double other(StepShare share) {
    double keys = prefix.length() + share.tokens() / share.samples();
    double attention = ATTENTION_OPERATIONS * model.hidden() * keys / ATTENTION_PER_SECOND;
    double rows = share.tokens() * model.layers() * (attention + ROW_SECONDS * model.hidden());
    return rows + (prefix.projection() ? encoderOperations() / SGEMM_PER_SECOND : 0);
  }

  /** Forward, and backward to inputs and to weights, of [P, H] by [H, H] and by [H, 2·L·H]. */
  private double encoderOperations() {
    double outputs = (1 + 2.0 * model.layers()) * model.hidden();
    return 6.0 * prefix.length() * model.hidden() * outputs;
  }

  /**
   * The sum goes layer by layer beside the last micro-batch's backward; that of the first layer
   * comes after it.
   */
  private double exposed(double network, double backward) {
    double beside = backward * (model.layers() - 1) / model.layers();
    return Math.max(network / model.layers(), network - beside);
  }
}
