package org.glmtuner.model;

import java.util.ArrayList;
import java.util.List;

/**
 * A tensor of ChatGLM-6B under its official name.
 *
 * <p>H hidden size, I inner size, V vocabulary.
 *
 * @param shape of a matrix [outputs, inputs], of a bias or norm [size]
 */
record ModelTensor(String name, List<Long> shape) {
  static final String EMBEDDING = "transformer.word_embeddings.weight";

  /** The output matrix: the same tensor as {@link #EMBEDDING}, stored once more. */
  static final String HEAD = "lm_head.weight";

  static final String LAYERS = "transformer.layers.";
  static final String PREFIX_ENCODER = "transformer.prefix_encoder.";

  /** Rotary frequencies, a function of the head size. */
  static final String ROTARY = ".attention.rotary_emb.inv_freq";

  private static final String QUERY_KEY_VALUE = ".attention.query_key_value.";

  /** All tensors that the computation needs, in the order of the layers. */
  static List<ModelTensor> of(ChatGlmConfig config) {
    long hidden = config.hiddenSize();
    long inner = config.innerHiddenSize();
    List<ModelTensor> tensors = new ArrayList<>();
    tensors.add(new ModelTensor(EMBEDDING, List.of((long) config.vocabSize(), hidden)));
    for (int layer = 0; layer < config.numLayers(); layer++) {
      String prefix = LAYERS + layer;
      norm(tensors, prefix + ".input_layernorm.", hidden);
      linear(tensors, prefix + QUERY_KEY_VALUE, 3 * hidden, hidden);
      linear(tensors, prefix + ".attention.dense.", hidden, hidden);
      norm(tensors, prefix + ".post_attention_layernorm.", hidden);
      linear(tensors, prefix + ".mlp.dense_h_to_4h.", inner, hidden);
      linear(tensors, prefix + ".mlp.dense_4h_to_h.", hidden, inner);
    }
    norm(tensors, "transformer.final_layernorm.", hidden);
    return tensors;
  }

  private static void norm(List<ModelTensor> tensors, String prefix, long size) {
    tensors.add(new ModelTensor(prefix + "weight", List.of(size)));
    tensors.add(new ModelTensor(prefix + "bias", List.of(size)));
  }

  private static void linear(List<ModelTensor> tensors, String prefix, long outputs, long inputs) {
    tensors.add(new ModelTensor(prefix + "weight", List.of(outputs, inputs)));
    tensors.add(new ModelTensor(prefix + "bias", List.of(outputs)));
  }

  boolean isMatrix() {
    return shape.size() == 2;
  }

  /** Whether its rows are officially mixed per head: D rows of queries, D of keys, D of values. */
  boolean isQueryKeyValue() {
    return name.contains(QUERY_KEY_VALUE);
  }

  long rows() {
    return shape.get(0);
  }

  /** Elements of a row; 1 for a bias or norm. */
  long columns() {
    return isMatrix() ? shape.get(1) : 1;
  }
}
