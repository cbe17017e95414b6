package org.glmtuner.reference;

import ai.djl.ndarray.NDArray;
import java.util.Map;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.PrefixTensor;

/**
 * The official prefix encoder, in operations through which autograd finds the gradients of its
 * parameters. Used by tests only.
 */
final class ReferenceEncoder {
  private ReferenceEncoder() {}

  /**
   * Keys and values [L, 2, P, H].
   *
   * @param parameters by their official names; with {@code trans.0} the encoder is projected
   */
  static NDArray keysAndValues(Map<String, NDArray> parameters, ChatGlmConfig config) {
    NDArray embedding = parameters.get(PrefixTensor.EMBEDDING);
    NDArray rows = embedding; // [P, 2·L·H]
    if (parameters.containsKey(PrefixTensor.HIDDEN_WEIGHT)) {
      NDArray hidden =
          linear(
              embedding,
              parameters.get(PrefixTensor.HIDDEN_WEIGHT),
              parameters.get(PrefixTensor.HIDDEN_BIAS));
      rows =
          linear(
              hidden.tanh(),
              parameters.get(PrefixTensor.OUTPUT_WEIGHT),
              parameters.get(PrefixTensor.OUTPUT_BIAS));
    }
    long length = embedding.getShape().get(0);
    long layers = config.numLayers();
    return rows.reshape(length, layers, 2, config.hiddenSize()).transpose(1, 2, 0, 3);
  }

  private static NDArray linear(NDArray x, NDArray weight, NDArray bias) {
    return x.matMul(weight.transpose()).add(bias);
  }
}
