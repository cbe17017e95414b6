package org.glmtuner.cluster;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ModelShapes;

/** A model of any size that takes no room on disk: all its weights are holes in the file. */
final class SparseModel {
  private static final String CONFIG =
      """
      {
        "model_type": "chatglm", "num_layers": 1, "hidden_size": %d, "num_attention_heads": 32,
        "inner_hidden_size": 4, "vocab_size": 512, "max_sequence_length": 256,
        "layernorm_epsilon": 1e-05, "position_encoding_2d": true, "mask_token_id": 500,
        "gmask_token_id": 501, "bos_token_id": 504, "eos_token_id": 505, "pad_token_id": 3
      }
      """;

  private static final Gson GSON = new Gson();

  private SparseModel() {}

  /** Writes an official directory of one layer with the special ids of {@code small}. */
  static void write(Path directory, int hiddenSize) throws IOException {
    byte[] json = CONFIG.formatted(hiddenSize).getBytes(StandardCharsets.UTF_8);
    Files.write(directory.resolve(ChatGlmConfig.FILE), json);
    JsonObject header = new JsonObject();
    long end = 0;
    for (var entry : ModelShapes.of(ChatGlmConfig.parse(json, ChatGlmConfig.FILE)).entrySet()) {
      long[] shape = entry.getValue().getShape();
      long start = end;
      end += 2 * Arrays.stream(shape).reduce(1, Math::multiplyExact);
      JsonObject tensor = new JsonObject();
      tensor.addProperty("dtype", "F16");
      tensor.add("shape", GSON.toJsonTree(shape));
      tensor.add("data_offsets", GSON.toJsonTree(List.of(start, end)));
      header.add(entry.getKey(), tensor);
    }
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file =
        new RandomAccessFile(directory.resolve("model.safetensors").toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(text.length)
              .array());
      file.write(text);
      file.setLength(Long.BYTES + text.length + end);
    }
  }
}
