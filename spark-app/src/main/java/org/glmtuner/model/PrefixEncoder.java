package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The trainable part of P-Tuning v2, without projection: an embedding whose rows hold the keys and
 * values of all layers. L layers, P virtual tokens, H hidden size, N heads, D head size.
 *
 * <p>The parameter is the official {@code transformer.prefix_encoder.embedding.weight} [P, 2·L·H],
 * row-major [P, L, key or value, N, D]; {@link #keysAndValues} is its transposition [L, 2, P, H]
 * and {@link #gradients} transposes back, which is the whole backward pass.
 */
public final class PrefixEncoder extends AbstractBlock implements AutoCloseable {
  /** In front of the encoder's own names in checkpoints. */
  public static final String CHECKPOINT_PREFIX = "transformer.prefix_encoder.";

  private static final String WEIGHT = "embedding.weight";

  /** The one parameter's name in checkpoints. */
  public static final String EMBEDDING = CHECKPOINT_PREFIX + WEIGHT;

  private final Parameter embedding;
  private final NDManager manager;
  private final long layers;
  private final long length;
  private final long hidden;

  /** Parameters are created, not yet initialised, in a child of {@code parent}. */
  public PrefixEncoder(NDManager parent, ChatGlmConfig config, int length) {
    this.manager = parent.newSubManager();
    this.layers = config.numLayers();
    this.hidden = config.hiddenSize();
    this.length = length;
    this.embedding =
        addParameter(
            Parameter.builder()
                .setName(WEIGHT)
                .setType(Parameter.Type.WEIGHT)
                .optRequiresGrad(
                    false) // its gradient is a transposition: autograd has nothing to do
                .build());
    embedding.setArray(manager.zeros(new Shape(length, 2 * layers * hidden), DataType.FLOAT32));
  }

  /** Virtual tokens, P. */
  public int length() {
    return Math.toIntExact(length);
  }

  /** The live parameters by their official names. */
  public Map<String, NDArray> parameters() {
    Map<String, NDArray> parameters = new LinkedHashMap<>();
    parameters.put(EMBEDDING, embedding.getArray());
    return parameters;
  }

  /**
   * The prefix as the transformer takes it: [L, 2, P, H], contiguous, owned by the caller's {@code
   * target}.
   */
  public NDArray keysAndValues(NDManager target) {
    NDArray output =
        forward(new ParameterStore(target, false), new NDList(), false).singletonOrThrow();
    output.attach(target);
    return output;
  }

  /**
   * The gradients of the parameters from that of {@link #keysAndValues}.
   *
   * @param gradient [L, 2, P, H]
   * @return by the parameters' names, in the manager of {@code gradient}
   */
  public Map<String, NDArray> gradients(NDArray gradient) {
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    gradients.put(
        EMBEDDING,
        gradient
            .reshape(2 * layers, length, hidden)
            .transpose(1, 0, 2)
            .reshape(length, 2 * layers * hidden));
    return gradients;
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    NDArray weight = embedding.getArray(); // [P, 2·L·H]
    NDArray transposed = weight.reshape(length, 2 * layers, hidden).transpose(1, 0, 2);
    // flatten copies into order; reshape alone would leave a view that native code cannot take
    return new NDList(transposed.flatten().reshape(layers, 2, length, hidden));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {new Shape(layers, 2, length, hidden)};
  }

  @Override
  public void close() {
    manager.close();
  }
}
