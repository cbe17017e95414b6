package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.TensorFiles;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * A model of one layer that answers every prompt with the same text, so that a test can tell what
 * has to come out. Its attention is zero, and each of its inner units is one link of a chain: it
 * sees one token, by the token's embedding, and shouts the embedding of the next.
 */
final class SpellingModel {
  private static final Path SAMPLE = Checkout.module().resolve("src/sample/tiny-chatglm");
  private static final int HIDDEN = 128;

  /** Embeddings are ±1: their product with themselves is 128, with others at most about 50. */
  private static final float THRESHOLD = -100;

  private static final float LOUDNESS = 10;

  private SpellingModel() {}

  /** Writes it with the sample's tokenizer; tokens of the text must be different. */
  static Path write(Path directory, String text, Path nativeDirectory) throws IOException {
    Files.createDirectory(directory);
    Files.copy(SAMPLE.resolve(ChatGlmTokenizer.FILE), directory.resolve(ChatGlmTokenizer.FILE));
    String sample = Files.readString(SAMPLE.resolve(ChatGlmConfig.FILE));
    int[] chain;
    try (ChatGlmTokenizer tokenizer =
        ChatGlmTokenizer.open(new LocalFolder(directory), nativeDirectory)) {
      int sop = tokenizer.specialIds().sop();
      int eop = tokenizer.specialIds().eop();
      chain =
          IntStream.concat(
                  IntStream.of(sop),
                  IntStream.concat(Arrays.stream(tokenizer.encode(text)), IntStream.of(eop)))
              .toArray();
    }
    assertThat(chain).doesNotHaveDuplicates();
    String json =
        sample
            .replace("\"num_layers\": 4", "\"num_layers\": 1")
            .replace("\"inner_hidden_size\": 512", "\"inner_hidden_size\": " + (chain.length - 1));
    Files.writeString(directory.resolve(ChatGlmConfig.FILE), json);
    ChatGlmConfig config =
        ChatGlmConfig.parse(json.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
    TensorFiles.writeTorch(directory.resolve("pytorch_model.bin"), tensors(config, chain));
    return directory;
  }

  private static Map<TensorSpec, float[]> tensors(ChatGlmConfig config, int[] chain) {
    Random random = new Random(5);
    float[] embeddings = new float[config.vocabSize() * HIDDEN];
    for (int i = 0; i < embeddings.length; i++) {
      embeddings[i] = random.nextBoolean() ? 1 : -1;
    }
    int units = chain.length - 1;
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, Shape> shape : ModelShapes.of(config).entrySet()) {
      String name = shape.getKey();
      float[] values = new float[Math.toIntExact(shape.getValue().size())];
      if (name.endsWith("word_embeddings.weight") || name.startsWith("lm_head")) {
        values = embeddings;
      } else if (name.endsWith("layernorm.weight")) {
        Arrays.fill(values, 1);
      } else if (name.endsWith("dense_h_to_4h.bias")) {
        Arrays.fill(values, THRESHOLD);
      } else if (name.endsWith("dense_h_to_4h.weight")) { // [units, H]
        for (int unit = 0; unit < units; unit++) {
          System.arraycopy(embeddings, chain[unit] * HIDDEN, values, unit * HIDDEN, HIDDEN);
        }
      } else if (name.endsWith("dense_4h_to_h.weight")) { // [H, units]
        for (int i = 0; i < values.length; i++) {
          int next = chain[i % units + 1];
          values[i] = LOUDNESS * embeddings[next * HIDDEN + i / units];
        }
      }
      tensors.put(TensorSpec.of(name, DType.F32, shape.getValue().getShape()), values);
    }
    return tensors;
  }
}
