package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.glmtuner.SharedData;
import org.glmtuner.SmallDisk;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.SafetensorsLayout;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightFileTest {
  @TempDir Path directory;

  private Path model;
  private Path target;

  @BeforeEach
  void name() throws IOException {
    model = directory.resolve("model");
    target = Files.createDirectory(directory.resolve("cache")).resolve("w.safetensors");
  }

  @Test
  void holdsTheSourcesValuesInBothPrecisions() throws IOException {
    ModelFiles.write(model, ModelFiles.tensors());
    for (Precision precision : Precision.values()) {
      assertConverted(model, precision);
    }
  }

  @Test
  void convertsTheGoldenModels() throws IOException {
    assertConverted(Path.of("src/test/resources/golden/small/model-fp16-sharded"), Precision.BF16);
    assertConverted(SharedData.require("data/golden/small/model"), Precision.FP32);
    assertConverted(SharedData.require("data/golden/vocab/model"), Precision.BF16);
  }

  private void assertConverted(Path source, Precision precision) throws IOException {
    List<Long> progress = new ArrayList<>();
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(source))) {
      WeightFile.convert(
          weights,
          precision,
          target,
          (done, total) -> {
            assertThat(total).isGreaterThanOrEqualTo(done);
            progress.add(done);
          });
      assertThat(progress).isSorted().last().isEqualTo(Files.size(target));
      assertThat(
              WeightFile.problem(
                  target,
                  WeightFile.metadata(weights, precision),
                  WeightFile.tensors(weights.config(), precision)))
          .isEmpty();
      try (TensorFile file = openTarget()) {
        assertThat(file.metadata())
            .containsEntry("format", "glm-tuner-weights")
            .containsEntry("version", "1")
            .containsEntry("precision", precision.label())
            .containsEntry("qkv_layout", "Q|K|V")
            .containsEntry("source_fingerprint", weights.fingerprint());
        List<ModelTensor> tensors = ModelTensor.of(weights.config());
        assertThat(file.tensors()).hasSameSizeAs(tensors);
        for (ModelTensor tensor : tensors) {
          assertThat(file.readFloats(tensor.name()))
              .as("%s %s", precision, tensor.name())
              .isEqualTo(expected(weights, tensor, file.get(tensor.name()).dtype()));
          assertThat(file.get(tensor.name()).dtype())
              .isEqualTo(tensor.isMatrix() && precision == Precision.BF16 ? DType.BF16 : DType.F32);
        }
      }
      assertDataStartsOnAPage();
    }
  }

  /** Values of the source, rows permuted by the definition, rounded through the type. */
  private static float[] expected(OfficialWeights weights, ModelTensor tensor, DType dtype)
      throws IOException {
    float[] source = weights.file(tensor.name()).readFloats(tensor.name());
    float[] moved = source.clone();
    int columns = (int) tensor.columns();
    int headSize = weights.config().headSize();
    int hidden = weights.config().hiddenSize();
    if (tensor.name().contains("query_key_value")) {
      for (int head = 0; head < weights.config().numAttentionHeads(); head++) {
        for (int part = 0; part < 3; part++) { // queries, keys, values
          for (int d = 0; d < headSize; d++) {
            int from = head * 3 * headSize + part * headSize + d;
            int to = part * hidden + head * headSize + d;
            System.arraycopy(source, from * columns, moved, to * columns, columns);
          }
        }
      }
    }
    ByteBuffer rounded = ByteBuffer.allocate(moved.length * dtype.bytes());
    dtype.encode(moved, 0, moved.length, rounded);
    dtype.decode(rounded.flip(), moved, 0, moved.length);
    return moved;
  }

  private void assertDataStartsOnAPage() throws IOException {
    try (FileChannel channel = FileChannel.open(target)) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(length);
      assertThat((length.getLong(0) + 8) % 4096).isZero();
    }
  }

  @Test
  void alignsEveryElementInAModelOfOddSizes() throws IOException {
    ModelFiles.write(model, ModelFiles.tensors());
    ChatGlmConfig config = ChatGlmConfig.read(new LocalFolder(model));
    List<TensorSpec> tensors = WeightFile.tensors(config, Precision.BF16);
    SafetensorsLayout layout = new SafetensorsLayout(tensors, Map.of(), 4096);
    for (TensorSpec tensor : tensors) {
      assertThat(layout.position(tensor.name()) % tensor.dtype().bytes()).isZero();
    }
  }

  @Test
  void refusesWeightsThatAreNotFinite() throws IOException {
    Map<TensorSpec, float[]> tensors = ModelFiles.tensors();
    ModelFiles.find(tensors, "transformer.layers.1.attention.dense.weight").getValue()[29] =
        Float.NaN;
    ModelFiles.write(model, tensors);
    assertRefused(
        Precision.BF16,
        "Cannot convert tensor transformer.layers.1.attention.dense.weight of "
            + model
            + "/pytorch_model.bin: element 29 is NaN (BF16 needs finite values below 3.3961775E38)");
    tensors = ModelFiles.tensors();
    ModelFiles.find(tensors, "transformer.final_layernorm.bias").getValue()[3] =
        Float.NEGATIVE_INFINITY;
    ModelFiles.write(model, tensors);
    assertRefused(
        Precision.FP32,
        "Cannot convert tensor transformer.final_layernorm.bias of "
            + model
            + "/pytorch_model.bin: element 3 is -Infinity (F32 needs finite values below Infinity)");
  }

  @Test
  void refusesAWeightThatRoundsToInfinity() throws IOException {
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    ModelFiles.tensors()
        .forEach(
            (spec, values) ->
                tensors.put(new TensorSpec(spec.name(), DType.F32, spec.shape()), values));
    float[] matrix =
        ModelFiles.find(tensors, "transformer.layers.0.mlp.dense_4h_to_h.weight").getValue();
    matrix[5] = -Float.MAX_VALUE;
    ModelFiles.write(model, tensors);
    assertRefused(
        Precision.BF16,
        "Cannot convert tensor transformer.layers.0.mlp.dense_4h_to_h.weight of "
            + model
            + "/pytorch_model.bin: element 5 is -3.4028235E38 "
            + "(BF16 needs finite values below 3.3961775E38)");
    assertConverted(model, Precision.FP32);
    Files.delete(target);
    matrix[5] = 0x1.fefffep127f;
    ModelFiles.write(model, tensors);
    assertConverted(model, Precision.BF16);
  }

  @Test
  void refusesAnUntiedHead() throws IOException {
    Map<TensorSpec, float[]> tensors = ModelFiles.tensors();
    float[] head = ModelFiles.find(tensors, ModelTensor.EMBEDDING).getValue().clone();
    TensorSpec spec = TensorSpec.of("lm_head.weight", DType.F32, 35, 24);
    TensorSpec half = TensorSpec.of("lm_head.weight", DType.F16, 35, 24);
    tensors.put(half, head);
    ModelFiles.write(model, tensors);
    assertConverted(model, Precision.BF16);
    Files.delete(target);
    tensors.remove(half);
    head[800] += 0.1f;
    tensors.put(spec, head);
    ModelFiles.write(model, tensors);
    assertRefused(
        Precision.BF16,
        "Cannot convert "
            + model
            + ": lm_head.weight of "
            + model
            + "/pytorch_model.bin differs "
            + "from transformer.word_embeddings.weight of "
            + model
            + "/pytorch_model.bin "
            + "(ChatGLM-6B has them tied)");
  }

  @Test
  void refusesADamagedTensor() throws IOException {
    ModelFiles.write(model, ModelFiles.tensors());
    try (FileChannel channel =
        FileChannel.open(model.resolve("pytorch_model.bin"), StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {0}), channel.size() / 2);
    }
    assertRefused(Precision.BF16, "Cannot read tensor transformer.");
  }

  @Test
  void refusesADiskThatIsTooSmallBeforeWriting() throws IOException {
    Files.createDirectories(model);
    Files.writeString(
        model.resolve("config.json"),
        ModelFiles.CONFIG
            .replace("\"vocab_size\": 35", "\"vocab_size\": 16777216")
            .replace("\"hidden_size\": 24", "\"hidden_size\": 98304"));
    try (OfficialWeights weights = hugeWeights()) {
      assertThatThrownBy(
              () -> WeightFile.convert(weights, Precision.BF16, target, ProgressListener.NONE))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessageMatching(
              "Cannot write .*/w.safetensors: it needs 3\\d{12} bytes, its file system has \\d+ free");
    }
    assertNothingLeft();
  }

  @Test
  void saysThatADiskBecameFullWhileItWasWritten() throws Exception {
    ModelFiles.write(model, ModelFiles.tensors());
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      Path file = disk.directory().resolve("w.safetensors");
      SafetensorsLayout layout = layout(Precision.BF16);
      assertThatThrownBy(
              () ->
                  WeightFile.write(
                      layout,
                      file,
                      (l, out) -> {
                        Files.write(disk.directory().resolve("other"), new byte[1 << 20]);
                        out.write(l.header());
                      }))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessage(
              "Cannot write "
                  + file
                  + ": it needs "
                  + layout.fileBytes()
                  + " bytes, its file system, with 0 free, became full meanwhile");
      assertThat(disk.directory().toFile().list()).containsExactly("other");
    }
  }

  private SafetensorsLayout layout(Precision precision) throws IOException {
    ChatGlmConfig config = ChatGlmConfig.read(new LocalFolder(model));
    return WeightFile.layout(WeightFile.tensors(config, precision), Map.of());
  }

  /** A model of three terabytes in a sparse file that takes no room. */
  private OfficialWeights hugeWeights() throws IOException {
    ChatGlmConfig config = ChatGlmConfig.read(new LocalFolder(model));
    List<TensorSpec> tensors = WeightFile.tensors(config, Precision.BF16);
    SafetensorsLayout layout = new SafetensorsLayout(tensors, Map.of(), 8);
    try (FileChannel channel =
        FileChannel.open(
            model.resolve("model.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      channel.write(layout.header());
      channel.write(ByteBuffer.allocate(1), layout.fileBytes() - 1);
    }
    return OfficialWeights.open(new LocalFolder(model));
  }

  @Test
  void leavesNothingWhenInterrupted() throws IOException {
    ModelFiles.write(model, ModelFiles.tensors());
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(model))) {
      assertThatThrownBy(
              () ->
                  WeightFile.convert(
                      weights,
                      Precision.BF16,
                      target,
                      (done, total) -> {
                        if (done > total / 2) {
                          Thread.currentThread().interrupt();
                        }
                      }))
          .isInstanceOf(ClosedByInterruptException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertNothingLeft();
  }

  private void assertRefused(Precision precision, String message) throws IOException {
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(model))) {
      assertThatThrownBy(
              () -> WeightFile.convert(weights, precision, target, ProgressListener.NONE))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
          .hasMessageStartingWith(message);
    }
    assertNothingLeft();
  }

  private void assertNothingLeft() throws IOException {
    try (Stream<Path> files = Files.list(target.getParent())) {
      assertThat(files).isEmpty();
    }
  }

  private TensorFile openTarget() throws IOException {
    return TensorFile.open(new LocalFolder(target.getParent()), "w.safetensors");
  }
}
