package org.glmtuner.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.TensorFiles;
import org.glmtuner.checkpoint.TensorSpec;

/** Small models of odd sizes for tests. */
final class ModelFiles {
  static final String CONFIG =
      """
      {
        "architectures": ["ChatGLMModel"],
        "bos_token_id": 33,
        "eos_token_id": 34,
        "gmask_token_id": 31,
        "hidden_size": 24,
        "inner_hidden_size": 37,
        "layernorm_epsilon": 1e-05,
        "mask_token_id": 30,
        "max_sequence_length": 64,
        "model_type": "chatglm",
        "num_attention_heads": 3,
        "num_layers": 2,
        "pad_token_id": 3,
        "position_encoding_2d": true,
        "unknown": {"kept": [1, null]},
        "vocab_size": 35
      }
      """;

  private ModelFiles() {}

  /** Random weights for {@link #CONFIG}, as their owner may change before writing them. */
  static Map<TensorSpec, float[]> tensors() {
    Random random = new Random(17);
    ChatGlmConfig config =
        ChatGlmConfig.parse(CONFIG.getBytes(StandardCharsets.UTF_8), "config.json");
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    for (ModelTensor tensor : ModelTensor.of(config)) {
      TensorSpec spec =
          new TensorSpec(
              tensor.name(),
              tensor.name().contains("layernorm") ? DType.F32 : DType.F16,
              tensor.shape());
      tensors.put(spec, TensorFiles.random(random, spec.elements()));
    }
    return tensors;
  }

  static void write(Path directory, Map<TensorSpec, float[]> tensors) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("config.json"), CONFIG);
    Files.deleteIfExists(directory.resolve("pytorch_model.bin"));
    TensorFiles.writeTorch(directory.resolve("pytorch_model.bin"), tensors);
  }

  /** The tensor of this name and its values. */
  static Map.Entry<TensorSpec, float[]> find(Map<TensorSpec, float[]> tensors, String name) {
    return tensors.entrySet().stream()
        .filter(entry -> entry.getKey().name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
