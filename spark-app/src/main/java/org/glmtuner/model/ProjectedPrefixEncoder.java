package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import org.glmtuner.model.ChatGlmConfig.Prefix;

/**
 * With projection: {@code rows = tanh(E·W0ᵀ + b0)·W2ᵀ + b2}. E is the embedding [P, H], W0 [H, H]
 * and b0 [H] are {@code trans.0}, W2 [K, H] and b2 [K] are {@code trans.2}; K = 2·L·H.
 *
 * <p>Keeps nothing between {@link #keysAndValues} and {@link #gradients}: the hidden rows, a
 * hundredth of the work, are computed again.
 */
final class ProjectedPrefixEncoder extends PrefixEncoder {
  private static final int[] OVER_ROWS = {0};

  ProjectedPrefixEncoder(NDManager parent, ChatGlmConfig config, Prefix prefix) {
    super(parent, config, prefix, shapes(config, prefix));
  }

  /** The official ones. */
  private static Map<String, Shape> shapes(ChatGlmConfig config, Prefix prefix) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (PrefixTensor tensor : PrefixTensor.of(config, prefix)) {
      long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
      shapes.put(tensor.name(), new Shape(shape));
    }
    return shapes;
  }

  @Override
  public <E extends Exception> void fill(NDArray own, OfficialValues<E> values) throws E {
    values.writeTo(own);
  }

  @Override
  public NDArray official(NDArray own, NDManager target) {
    NDArray copy = own.duplicate();
    copy.attach(target);
    return copy;
  }

  @Override
  public NDArray keysAndValues(NDManager target) {
    try (NDManager scope = target.newSubManager()) {
      NDArray rows = linear(hidden(scope), PrefixTensor.OUTPUT_WEIGHT, PrefixTensor.OUTPUT_BIAS);
      // flatten copies into order; reshape alone would leave a view that native code cannot take
      NDArray result = fromRows(rows).flatten().reshape(boundary());
      result.attach(target);
      return result;
    }
  }

  @Override
  public Map<String, NDArray> gradients(NDArray gradient) {
    try (NDManager scope = gradient.getManager().newSubManager()) {
      Map<String, NDArray> gradients = backward(toRows(gradient, scope));
      gradients.values().forEach(array -> array.attach(gradient.getManager()));
      return gradients;
    }
  }

  /** tanh(E·W0ᵀ + b0), [P, H]. */
  private NDArray hidden(NDManager scope) {
    NDArray embedding = view(PrefixTensor.EMBEDDING, scope);
    return linear(embedding, PrefixTensor.HIDDEN_WEIGHT, PrefixTensor.HIDDEN_BIAS).tanh();
  }

  private NDArray linear(NDArray input, String weight, String bias) {
    NDManager scope = input.getManager();
    return input.matMul(view(weight, scope).transpose()).addi(view(bias, scope));
  }

  private Map<String, NDArray> backward(NDArray rows) { // [P, K]
    NDManager scope = rows.getManager();
    NDArray embedding = view(PrefixTensor.EMBEDDING, scope); // [P, H]
    NDArray hidden = hidden(scope); // [P, H]
    NDArray ofHidden = rows.matMul(view(PrefixTensor.OUTPUT_WEIGHT, scope)); // [P, H]
    NDArray slope = hidden.square().neg().add(1); // of tanh, [P, H]
    NDArray ofSum = ofHidden.mul(slope); // before tanh, [P, H]
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    gradients.put(
        PrefixTensor.EMBEDDING, ofSum.matMul(view(PrefixTensor.HIDDEN_WEIGHT, scope))); // [P, H]
    gradients.put(PrefixTensor.HIDDEN_WEIGHT, ofSum.transpose().matMul(embedding)); // [H, H]
    gradients.put(PrefixTensor.HIDDEN_BIAS, ofSum.sum(OVER_ROWS)); // [H]
    gradients.put(PrefixTensor.OUTPUT_WEIGHT, rows.transpose().matMul(hidden)); // [K, H]
    gradients.put(PrefixTensor.OUTPUT_BIAS, rows.sum(OVER_ROWS)); // [K]
    return gradients;
  }
}
