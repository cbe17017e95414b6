package org.glmtuner.reference;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.TensorFiles;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.data.Sample;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.model.PrefixTensor;

/**
 * A model whose every value follows from its place, with two rows; the official code in FP32 gave
 * the numbers that tests expect of it. Value i of tensor k is a hash of i + 100003·k, spread over
 * (-1/2, 1/2) for matrices, a fifth of that for vectors, around 1 for norms.
 */
final class ClosedForm {
  static final int PREFIX_LENGTH = 3;

  private static final int ENCODER_TENSOR = 27;

  static final List<Sample> ROWS =
      List.of(
          new Sample(
              0,
              new int[] {11, 12, 13, 101, 104, 21, 22, 105},
              new int[] {-100, -100, -100, -100, 104, 21, 22, 105},
              4,
              3),
          new Sample(
              1,
              new int[] {31, 32, 101, 104, 41, 42, 43, 44, 45, 105},
              new int[] {-100, -100, -100, 104, 41, 42, 43, 44, 45, 105},
              3,
              2));

  private static final String CONFIG =
      """
      {
        "model_type": "chatglm", "num_layers": 2, "hidden_size": 32, "num_attention_heads": 2,
        "inner_hidden_size": 64, "vocab_size": 112, "max_sequence_length": 64,
        "layernorm_epsilon": 1e-05, "position_encoding_2d": true, "mask_token_id": 100,
        "gmask_token_id": 101, "bos_token_id": 104, "eos_token_id": 105, "pad_token_id": 3
      }
      """;

  private ClosedForm() {}

  /** Writes the model as an official directory. */
  static void write(Path directory) throws IOException {
    Files.writeString(directory.resolve(ChatGlmConfig.FILE), CONFIG);
    ChatGlmConfig config =
        ChatGlmConfig.parse(CONFIG.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    int number = 0;
    for (Map.Entry<String, Shape> tensor : ModelShapes.of(config).entrySet()) {
      String name = tensor.getKey();
      long[] shape = tensor.getValue().getShape();
      boolean norm = name.contains("layernorm") && name.endsWith("weight");
      double scale = shape.length == 2 ? 1 : 0.2;
      tensors.put(
          TensorSpec.of(name, DType.F32, shape),
          values(number++, (int) tensor.getValue().size(), norm ? 1 : 0, scale));
    }
    TensorFiles.writeTorch(directory.resolve("pytorch_model.bin"), tensors);
  }

  /** The plain prefix encoder's embedding [P, 2·L·H]. */
  static float[] embedding() {
    return values(ENCODER_TENSOR, PREFIX_LENGTH * 2 * 2 * 32, 0, 4);
  }

  /** Sets an encoder's parameters: its tensors follow those of the model. */
  static void fill(PrefixEncoder encoder) {
    int number = ENCODER_TENSOR;
    for (Map.Entry<String, NDArray> parameter : encoder.parameters().entrySet()) {
      boolean embedding = parameter.getKey().equals(PrefixTensor.EMBEDDING);
      int tensor = number++;
      encoder.fill(
          parameter.getValue(),
          array -> {
            double scale = embedding ? 4 : array.getShape().dimension() == 2 ? 1 : 0.2;
            array.set(FloatBuffer.wrap(values(tensor, (int) array.size(), 0, scale)));
          });
    }
  }

  private static float[] values(int tensor, int count, double offset, double scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (offset + scale * spread(i + 100_003 * tensor));
    }
    return values;
  }

  private static double spread(int number) {
    int x = number;
    x ^= x >>> 16;
    x *= 0x7feb352d;
    x ^= x >>> 15;
    x *= 0x846ca68b;
    x ^= x >>> 16;
    return Integer.toUnsignedLong(x) / 0x1p32 - 0.5;
  }
}
