package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.glmtuner.model.ChatGlmConfig.Prefix;

/**
 * The trainable part of P-Tuning v2: parameters, and the keys and values of all layers that follow
 * from them. L layers, P virtual tokens, H hidden size, N heads, D head size.
 *
 * <p>An encoder computes rows [P, 2·L·H], each of them [L, key or value, N, D] in row-major order.
 * {@link #keysAndValues} is their transposition [L, 2, P, H].
 *
 * <p>Equal parameters and gradients give equal bits on every rank of the same instruction set and
 * number of cores; the plain encoder, which only moves values, on all.
 */
public abstract sealed class PrefixEncoder implements AutoCloseable
    permits PlainPrefixEncoder, ProjectedPrefixEncoder {
  private static final int INITIAL_PIECE = 1 << 16;

  private final Map<String, NDArray> parameters = new LinkedHashMap<>();
  private final NDManager manager;
  private final Prefix prefix;
  private final long layers;
  private final long hidden;

  PrefixEncoder(NDManager parent, ChatGlmConfig config, Prefix prefix) {
    this.manager = parent.newSubManager();
    this.prefix = prefix;
    this.layers = config.numLayers();
    this.hidden = config.hiddenSize();
    for (PrefixTensor tensor : PrefixTensor.of(config, prefix)) {
      long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
      parameters.put(tensor.name(), manager.zeros(new Shape(shape), DataType.FLOAT32));
    }
  }

  /** An encoder of zeros, whose parameters are in a child of {@code parent}. */
  public static PrefixEncoder create(NDManager parent, ChatGlmConfig config, Prefix prefix) {
    return prefix.projection()
        ? new ProjectedPrefixEncoder(parent, config, prefix)
        : new PlainPrefixEncoder(parent, config, prefix);
  }

  /** What it is. */
  public final Prefix prefix() {
    return prefix;
  }

  /** The live parameters by their official names, in the order of the official state dict. */
  public final Map<String, NDArray> parameters() {
    return Collections.unmodifiableMap(parameters);
  }

  /**
   * Random values as PyTorch's defaults spread them: standard normal in the embedding; in a linear
   * layer's weight and bias even between ±1/√inputs.
   */
  public final void initialise(long seed) {
    RandomValues random = new RandomValues(seed);
    double bound = 1 / Math.sqrt((double) hidden); // both linear layers have H inputs
    parameters.forEach(
        (name, parameter) -> {
          for (var piece : ArrayMemory.pieces(parameter)) {
            FloatBuffer values = piece.asFloatBuffer();
            while (values.hasRemaining()) {
              int count = Math.min(INITIAL_PIECE, values.remaining());
              boolean embedding = name.equals(PrefixTensor.EMBEDDING);
              values.put(embedding ? random.normal(count) : random.uniform(count, bound));
            }
          }
        });
  }

  /**
   * The prefix as the transformer takes it: [L, 2, P, H], contiguous, owned by the caller's {@code
   * target}.
   */
  public final NDArray keysAndValues(NDManager target) {
    try (NDManager scope = target.newSubManager()) {
      NDArray transposed =
          rows(scope).reshape(prefix.length(), 2 * layers, hidden).transpose(1, 0, 2);
      // flatten copies into order; reshape alone would leave a view that native code cannot take
      NDArray result = transposed.flatten().reshape(layers, 2, prefix.length(), hidden);
      result.attach(target);
      return result;
    }
  }

  /**
   * The gradients of the parameters from that of {@link #keysAndValues}.
   *
   * @param gradient [L, 2, P, H]
   * @return by the parameters' names and in their order, contiguous, in the manager of {@code
   *     gradient}
   */
  public final Map<String, NDArray> gradients(NDArray gradient) {
    try (NDManager scope = gradient.getManager().newSubManager()) {
      NDArray own = gradient.reshape(gradient.getShape());
      own.attach(scope);
      NDArray rows =
          own.reshape(2 * layers, prefix.length(), hidden)
              .transpose(1, 0, 2)
              .flatten()
              .reshape(prefix.length(), 2 * layers * hidden);
      Map<String, NDArray> gradients = backward(rows);
      gradients.values().forEach(array -> array.attach(gradient.getManager()));
      return gradients;
    }
  }

  /** A parameter in {@code scope}: DJL puts what follows from an array into the array's manager. */
  final NDArray view(String name, NDManager scope) {
    NDArray parameter = parameters.get(name);
    NDArray view = parameter.reshape(parameter.getShape());
    view.attach(scope);
    return view;
  }

  /** [P, 2·L·H], in {@code scope}. */
  abstract NDArray rows(NDManager scope);

  /** From the gradient of {@link #rows}, in its manager, as {@link #gradients}. */
  abstract Map<String, NDArray> backward(NDArray rows);

  @Override
  public final void close() {
    manager.close();
  }
}
