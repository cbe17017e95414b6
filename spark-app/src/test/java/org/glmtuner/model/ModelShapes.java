package org.glmtuner.model;

import ai.djl.ndarray.types.Shape;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** The tensors of a model, for tests and programs of other packages. */
public final class ModelShapes {
  private static final String CHATGLM_6B =
      """
      {"model_type": "chatglm", "num_layers": 28, "hidden_size": 4096, "num_attention_heads": 32,
       "inner_hidden_size": 16384, "vocab_size": 130528, "max_sequence_length": 2048,
       "layernorm_epsilon": 1e-05, "position_encoding_2d": true, "mask_token_id": 130000,
       "gmask_token_id": 130001, "bos_token_id": 130004, "eos_token_id": 130005, "pad_token_id": 3}
      """;

  private ModelShapes() {}

  /** The configuration of the real model. */
  public static ChatGlmConfig chatGlm6b() {
    return ChatGlmConfig.parse(CHATGLM_6B.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
  }

  /** Shapes by official names, in the order of the layers; the output matrix is the embedding. */
  public static Map<String, Shape> of(ChatGlmConfig config) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (ModelTensor tensor : ModelTensor.of(config)) {
      shapes.put(
          tensor.name(), new Shape(tensor.shape().stream().mapToLong(Long::longValue).toArray()));
    }
    return shapes;
  }
}
