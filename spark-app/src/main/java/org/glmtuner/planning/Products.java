package org.glmtuner.planning;

import org.glmtuner.model.RankMemory.Shape;

/** The matrix products of a training step. */
public final class Products {
  private Products() {}

  /**
   * Floating-point operations that forward and backward through the frozen layers cannot do
   * without: with H = 4096 and I = 16384, 402.7 million per token and layer forward and as many
   * backward. In the last layer only labelled rows go beyond keys and values, the first layer's
   * backward ends at the prefix, and logits exist at labelled rows. Attention itself, well below 2
   * % of them, is left out.
   *
   * @param inputs tokens but for the last one of each sample, which is no input
   * @param labelled tokens that the loss is a mean of
   */
  public static double operations(Shape model, double inputs, double labelled) {
    double hidden = model.hidden();
    double square = 2 * hidden * hidden;
    double perceptron = 4 * hidden * model.inner();
    double sum = 2 * 2 * labelled * hidden * model.vocabulary();
    for (long layer = 0; layer < model.layers(); layer++) {
      double rows = layer == model.layers() - 1 ? labelled : inputs;
      double queries = rows * square;
      double keysAndValues = 2 * inputs * square;
      double rest = rows * (square + perceptron); // dense and both of the perceptron's products
      sum += queries + keysAndValues + rest; // forward
      sum += rest + (layer == 0 ? 0 : queries + keysAndValues); // backward
    }
    return sum;
  }
}
