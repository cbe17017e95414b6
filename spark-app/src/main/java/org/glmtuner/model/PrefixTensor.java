package org.glmtuner.model;

import java.util.List;
import org.glmtuner.model.ChatGlmConfig.Prefix;

/**
 * A trainable tensor of P-Tuning v2 under its official name.
 *
 * <p>P virtual tokens, L layers, H hidden size.
 *
 * @param shape of a matrix [rows, columns], of a bias [size]
 */
public record PrefixTensor(String name, List<Long> shape) {
  /** In front of the encoder's own names in checkpoints. */
  public static final String ENCODER = ModelTensor.PREFIX_ENCODER;

  /** [P, 2·L·H], the keys and values themselves; with projection [P, H]. */
  public static final String EMBEDDING = ENCODER + "embedding.weight";

  /** With projection only, as the following: [H, H]. */
  public static final String HIDDEN_WEIGHT = ENCODER + "trans.0.weight";

  /** [H]. */
  public static final String HIDDEN_BIAS = ENCODER + "trans.0.bias";

  /** [2·L·H, H]. */
  public static final String OUTPUT_WEIGHT = ENCODER + "trans.2.weight";

  /** [2·L·H]. */
  public static final String OUTPUT_BIAS = ENCODER + "trans.2.bias";

  /** All tensors of an encoder, in the order of the official state dict. */
  public static List<PrefixTensor> of(ChatGlmConfig config, Prefix prefix) {
    return of(config.numLayers(), config.hiddenSize(), prefix);
  }

  private static List<PrefixTensor> of(long layers, long hidden, Prefix prefix) {
    long outputs = 2 * layers * hidden;
    long length = prefix.length();
    return prefix.projection()
        ? List.of(
            new PrefixTensor(EMBEDDING, List.of(length, hidden)),
            new PrefixTensor(HIDDEN_WEIGHT, List.of(hidden, hidden)),
            new PrefixTensor(HIDDEN_BIAS, List.of(hidden)),
            new PrefixTensor(OUTPUT_WEIGHT, List.of(outputs, hidden)),
            new PrefixTensor(OUTPUT_BIAS, List.of(outputs)))
        : List.of(new PrefixTensor(EMBEDDING, List.of(length, outputs)));
  }

  /** Trainable values of an encoder. */
  static long values(long layers, long hidden, Prefix prefix) {
    return of(layers, hidden, prefix).stream().mapToLong(PrefixTensor::elements).sum();
  }

  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }
}
