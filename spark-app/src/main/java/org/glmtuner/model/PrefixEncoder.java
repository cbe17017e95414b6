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
 * <p>The official encoder computes rows [P, 2·L·H], each of them [L, key or value, N, D] in
 * row-major order. {@link #keysAndValues} is their transposition [L, 2, P, H], the boundary between
 * encoder and transformer: gradients are summed over ranks there.
 *
 * <p>An encoder keeps its parameters as it computes with them. Their official layout, that of
 * checkpoints, is read and written by {@link #official} and {@link #fill}.
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
  private final Shape boundary;
  private final long hidden;

  /**
   * Parameters of zeros.
   *
   * @param shapes by the parameters' names, in the order of the official state dict
   */
  PrefixEncoder(NDManager parent, ChatGlmConfig config, Prefix prefix, Map<String, Shape> shapes) {
    this.manager = parent.newSubManager();
    this.prefix = prefix;
    this.boundary = boundary(config, prefix);
    this.hidden = config.hiddenSize();
    shapes.forEach((name, shape) -> parameters.put(name, manager.zeros(shape, DataType.FLOAT32)));
  }

  /** An encoder of zeros, whose parameters are in a child of {@code parent}. */
  public static PrefixEncoder create(NDManager parent, ChatGlmConfig config, Prefix prefix) {
    return prefix.projection()
        ? new ProjectedPrefixEncoder(parent, config, prefix)
        : new PlainPrefixEncoder(parent, config, prefix);
  }

  /** The shape of {@link #keysAndValues}: [L, 2, P, H]. */
  public static Shape boundary(ChatGlmConfig config, Prefix prefix) {
    return new Shape(config.numLayers(), 2, prefix.length(), config.hiddenSize());
  }

  /** The shape of {@link #keysAndValues}: [L, 2, P, H]. */
  public final Shape boundary() {
    return boundary;
  }

  /** What it is. */
  public final Prefix prefix() {
    return prefix;
  }

  /**
   * The live parameters by their official names, in the order of the official state dict; the
   * encoder's own layout.
   */
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
        (name, parameter) ->
            fill(parameter, official -> initialise(official, name, random, bound)));
  }

  private static void initialise(NDArray official, String name, RandomValues random, double bound) {
    for (var piece : ArrayMemory.pieces(official)) {
      FloatBuffer values = piece.asFloatBuffer();
      while (values.hasRemaining()) {
        int count = Math.min(INITIAL_PIECE, values.remaining());
        boolean embedding = name.equals(PrefixTensor.EMBEDDING);
        values.put(embedding ? random.normal(count) : random.uniform(count, bound));
      }
    }
  }

  /** Writes values to an array of an official tensor's shape. */
  @FunctionalInterface
  public interface OfficialValues<E extends Exception> {
    void writeTo(NDArray official) throws E;
  }

  /**
   * Fills a parameter, or what has a parameter's layout (a moment, a gradient), from values in the
   * official layout.
   */
  public abstract <E extends Exception> void fill(NDArray own, OfficialValues<E> values) throws E;

  /**
   * A copy of a parameter, or of what has a parameter's layout, in the official layout.
   *
   * @return contiguous, in {@code target}
   */
  public abstract NDArray official(NDArray own, NDManager target);

  /**
   * The prefix as the transformer takes it: [L, 2, P, H], contiguous, in {@code target}. Not to be
   * written to, and to be used only until the parameters change: their memory may be its own.
   */
  public abstract NDArray keysAndValues(NDManager target);

  /**
   * The gradients of the parameters from that of {@link #keysAndValues}.
   *
   * @param gradient [L, 2, P, H]
   * @return by the parameters' names, in their order and layout, contiguous, in the manager of
   *     {@code gradient}, whose memory may be theirs
   */
  public abstract Map<String, NDArray> gradients(NDArray gradient);

  /** [P, 2·L·H]. */
  final Shape rows() {
    return new Shape(prefix.length(), 2 * boundary.get(0) * hidden);
  }

  /** From {@link #rows} to [L·2, P, H]: a view in the manager of {@code rows}. */
  final NDArray fromRows(NDArray rows) {
    return rows.reshape(prefix.length(), 2 * boundary.get(0), hidden).transpose(1, 0, 2);
  }

  /** From [L, 2, P, H] to {@link #rows}: a copy in {@code target}. */
  final NDArray toRows(NDArray keysAndValues, NDManager target) {
    try (NDManager scope = target.newSubManager()) {
      NDArray ordered =
          view(keysAndValues, scope)
              .reshape(2 * boundary.get(0), prefix.length(), hidden)
              .transpose(1, 0, 2);
      // flatten copies into order, but what is in order already, as one virtual token is
      NDArray copy = prefix.length() == 1 ? ordered.duplicate() : ordered.flatten();
      NDArray rows = copy.reshape(rows());
      rows.attach(target);
      return rows;
    }
  }

  /** An array's memory in {@code scope}: DJL puts what follows from an array into its manager. */
  static NDArray view(NDArray array, NDManager scope) {
    NDArray view = array.reshape(array.getShape());
    view.attach(scope);
    return view;
  }

  /** A parameter in {@code scope}. */
  final NDArray view(String name, NDManager scope) {
    return view(parameters.get(name), scope);
  }

  @Override
  public final void close() {
    manager.close();
  }
}
