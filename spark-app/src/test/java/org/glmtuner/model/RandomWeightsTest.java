package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.stream.IntStream;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.config.Precision;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RandomWeightsTest {
  private static final ChatGlmConfig CONFIG =
      ChatGlmConfig.parse(ModelFiles.CONFIG.getBytes(StandardCharsets.UTF_8), "config.json");

  @TempDir Path cache;

  private Path provide(Precision precision, long seed) throws Exception {
    return RandomWeights.provide(CONFIG, precision, seed, cache, ProgressListener.NONE);
  }

  private static float[] values(Path file, String tensor) throws Exception {
    try (TensorFile opened =
        TensorFile.open(new LocalFolder(file.getParent()), file.getFileName().toString())) {
      assertThat(WeightFile.isOne(opened)).isTrue();
      float[] values = new float[(int) opened.get(tensor).elements()];
      opened.readFloats(tensor, 0, values, 0, values.length);
      return values;
    }
  }

  @Test
  void matricesAndNormsHaveTheirDistributions() throws Exception {
    Path file = provide(Precision.BF16, 42);
    float[] matrix = values(file, "transformer.layers.1.mlp.dense_h_to_4h.weight");
    double squares =
        IntStream.range(0, matrix.length).mapToDouble(i -> matrix[i] * matrix[i]).sum();
    assertThat(Math.sqrt(squares / matrix.length)).isCloseTo(0.02, within(0.004));
    float[] norm = values(file, "transformer.final_layernorm.weight");
    assertThat(IntStream.range(0, norm.length).mapToDouble(i -> norm[i]).average().orElseThrow())
        .isCloseTo(1, within(0.03));
    float[] other = values(file, "transformer.layers.0.mlp.dense_h_to_4h.weight");
    assertThat(other).isNotEqualTo(matrix);
  }

  @Test
  void aFileIsMadeOnceForASeedAndAPrecision() throws Exception {
    Path file = provide(Precision.BF16, 42);
    FileTime made = Files.getLastModifiedTime(file);
    assertThat(provide(Precision.BF16, 42)).isEqualTo(file);
    assertThat(Files.getLastModifiedTime(file)).isEqualTo(made);
    assertThat(provide(Precision.BF16, 43)).isNotEqualTo(file);
    assertThat(provide(Precision.FP32, 42)).isNotEqualTo(file);
    assertThat(Files.size(provide(Precision.FP32, 42))).isGreaterThan(Files.size(file));
  }

  @Test
  void aDamagedFileIsMadeAnew() throws Exception {
    Path file = provide(Precision.BF16, 42);
    byte[] right = Files.readAllBytes(file);
    Files.write(file, new byte[100]);
    assertThat(Files.readAllBytes(provide(Precision.BF16, 42))).isEqualTo(right);
  }
}
