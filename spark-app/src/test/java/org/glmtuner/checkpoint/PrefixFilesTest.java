package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.PrefixTensor;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrefixFilesTest {
  private static final Prefix PLAIN = new Prefix(2, false);
  private static final Prefix PROJECTED = new Prefix(2, true);

  @TempDir Path directory;
  private ChatGlmConfig base;
  private LocalFolder folder;

  @BeforeEach
  void readBase() throws IOException {
    base = ChatGlmConfig.read(new LocalFolder(Checkout.goldenSmall().resolve("model")));
    folder = new LocalFolder(directory);
  }

  private Map<String, float[]> write(Prefix prefix) throws IOException {
    return PrefixCheckpoints.write(directory, base, prefix, "mine");
  }

  private Prefix examine(Path other) throws IOException {
    LocalFolder checkpoint = new LocalFolder(other);
    return PrefixFiles.examine(checkpoint, PrefixFiles.find(checkpoint), base, "mine");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bothFormsHoldTheSameValuesUnderTheOfficialNames(boolean projection) throws IOException {
    Prefix prefix = new Prefix(2, projection);
    Map<String, float[]> values = write(prefix);
    for (String file : new String[] {PrefixFiles.PREFIX, PrefixFiles.OFFICIAL}) {
      assertThat(PrefixFiles.shape(directory.resolve(file), base)).isEqualTo(prefix);
      for (PrefixTensor tensor : PrefixTensor.of(base, prefix)) {
        assertThat(PrefixCheckpoints.read(directory.resolve(file), tensor))
            .containsExactly(values.get(tensor.name()));
      }
    }
    try (TensorFile official = TensorFile.open(folder, PrefixFiles.OFFICIAL)) {
      assertThat(official.tensors().stream().map(TensorSpec::name))
          .containsExactlyElementsOf(
              PrefixTensor.of(base, prefix).stream().map(PrefixTensor::name).toList());
    }
    assertThat(ChatGlmConfig.read(folder).prefix()).contains(prefix);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void momentsHaveTheShapesOfTheirParameters(boolean projection) throws IOException {
    Prefix prefix = new Prefix(2, projection);
    write(prefix);
    try (TensorFile optimizer = TensorFile.open(folder, PrefixFiles.OPTIMIZER)) {
      for (PrefixTensor tensor : PrefixTensor.of(base, prefix)) {
        assertThat(optimizer.get(tensor.name() + ".exp_avg").shape()).isEqualTo(tensor.shape());
        assertThat(optimizer.get(tensor.name() + ".exp_avg_sq").shape()).isEqualTo(tensor.shape());
      }
      assertThat(optimizer.metadata()).containsEntry("prefix_projection", "" + projection);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCheckpointOfTheSameBaseLengthAndFormFits(boolean projection) throws IOException {
    Prefix prefix = new Prefix(2, projection);
    write(prefix);
    assertThatCode(() -> PrefixFiles.check(folder, PrefixFiles.PREFIX, base, prefix, "mine"))
        .doesNotThrowAnyException();
  }

  @Test
  void anOfficialCheckpointFitsAndSaysWhatItIs() throws IOException {
    for (boolean projection : new boolean[] {false, true}) {
      LocalFolder official =
          new LocalFolder(
              Checkout.goldenSmall().resolve("prefix-init/p8" + (projection ? "-proj" : "")));
      assertThat(PrefixFiles.examine(official, PrefixFiles.OFFICIAL, base, "any"))
          .isEqualTo(new Prefix(8, projection));
    }
  }

  @Test
  void anOfficialCheckpointTrainedOnAQuantisedBaseFits() throws IOException {
    write(PLAIN);
    Files.delete(directory.resolve(PrefixFiles.PREFIX));
    Files.writeString(
        directory.resolve(ChatGlmConfig.FILE),
        "{\"pre_seq_len\": 2, \"prefix_projection\": false, \"quantization_bit\": 4}");
    assertThat(PrefixFiles.examine(folder, PrefixFiles.find(folder), base, "any")).isEqualTo(PLAIN);
  }

  @Test
  void aCheckpointOfAnotherBaseIsRefusedWithBothFingerprints() throws IOException {
    write(PLAIN);
    assertThatThrownBy(() -> PrefixFiles.check(folder, PrefixFiles.PREFIX, base, PLAIN, "other"))
        .isInstanceOf(TunerException.class)
        .hasMessageContaining(PrefixFiles.PREFIX)
        .hasMessageEndingWith("it was trained on the base mine, model.path is the base other");
  }

  @Test
  void aPrefixOfAnotherLengthIsRefusedWithBoth() throws IOException {
    write(PLAIN);
    assertThatThrownBy(
            () -> PrefixFiles.check(folder, PrefixFiles.PREFIX, base, new Prefix(3, false), "mine"))
        .hasMessageEndingWith(
            "prefix.safetensors: its prefix has 2 virtual tokens without projection, the run is to train 3 virtual tokens without projection (prefix.length, prefix.projection)");
  }

  @Test
  void aPrefixOfTheOtherFormIsRefusedWithBoth() throws IOException {
    write(PROJECTED);
    assertThatThrownBy(() -> PrefixFiles.check(folder, PrefixFiles.PREFIX, base, PLAIN, "mine"))
        .hasMessageEndingWith(
            "its prefix has 2 virtual tokens with projection, the run is to train 2 virtual tokens without projection (prefix.length, prefix.projection)");
  }

  @Test
  void aPrefixForALargerModelIsRefusedWithBothShapes(@TempDir Path other) throws IOException {
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    tensors.put(TensorSpec.of(PrefixTensor.EMBEDDING, DType.F32, 2, 8), new float[16]);
    TensorFiles.writeTorch(other.resolve(PrefixFiles.OFFICIAL), tensors);
    assertThatThrownBy(() -> examine(other))
        .hasMessageEndingWith(
            "its keys and values have the width 8, but by the config.json that it is used with 2 x num_layers x hidden_size is 384");
  }

  private Map<TensorSpec, float[]> tensors(Prefix prefix) {
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    for (PrefixTensor tensor : PrefixTensor.of(base, prefix)) {
      tensors.put(
          new TensorSpec(tensor.name(), DType.F32, tensor.shape()),
          new float[(int) tensor.elements()]);
    }
    return tensors;
  }

  private void refuses(Path other, Map<TensorSpec, float[]> tensors, String reason)
      throws IOException {
    Path file = other.resolve(PrefixFiles.OFFICIAL);
    Files.deleteIfExists(file);
    TensorFiles.writeTorch(file, tensors);
    assertThatThrownBy(() -> examine(other))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessageContaining(reason);
    assertThatThrownBy(() -> PrefixFiles.shape(file, base)).hasMessageContaining(reason);
  }

  @Test
  void aTensorThatNoEncoderHasIsRefused(@TempDir Path other) throws IOException {
    for (Prefix prefix : List.of(PLAIN, PROJECTED)) {
      Map<TensorSpec, float[]> tensors = tensors(prefix);
      tensors.put(TensorSpec.of(PrefixTensor.ENCODER + "extra", DType.F32, 2), new float[2]);
      refuses(other, tensors, prefix.projection() ? "it has 6 tensors" : "it has no tensor");
    }
  }

  @Test
  void aProjectionOfAnotherHiddenSizeIsRefused(@TempDir Path other) throws IOException {
    Map<TensorSpec, float[]> tensors = tensors(PROJECTED);
    tensors.remove(TensorSpec.of(PrefixTensor.HIDDEN_WEIGHT, DType.F32, 64, 64));
    tensors.put(TensorSpec.of(PrefixTensor.HIDDEN_WEIGHT, DType.F32, 32, 64), new float[32 * 64]);
    refuses(other, tensors, "it is F32 [32, 64] (F32, F16 or BF16 [64, 64], by the tensors");
  }

  @Test
  void aPrefixOfIntegersIsRefused(@TempDir Path other) throws IOException {
    Path file = other.resolve(PrefixFiles.PREFIX);
    TensorSpec spec = TensorSpec.of(PrefixTensor.EMBEDDING, DType.I32, 2, 384);
    try (TensorWriter writer =
        new SafetensorsWriter(TensorFiles.create(file), List.of(spec), Map.of())) {
      writer.append(spec.name(), ByteBuffer.allocate((int) spec.bytes()));
      writer.finish();
    }
    assertThatThrownBy(() -> examine(other))
        .hasMessageContaining("it is I32 [2, 384] (a matrix of F32, F16 or BF16)");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void valuesThatAreNotFiniteAreNotRead(float value, @TempDir Path other) throws IOException {
    Map<TensorSpec, float[]> tensors = tensors(PLAIN);
    tensors.values().iterator().next()[700] = value;
    Path file = other.resolve(PrefixFiles.OFFICIAL);
    TensorFiles.writeTorch(file, tensors);
    assertThatThrownBy(() -> PrefixCheckpoints.read(file, PrefixTensor.of(base, PLAIN).get(0)))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessage(
            "Cannot use tensor transformer.prefix_encoder.embedding.weight of %s:"
                + " element 700 is %s (all must be finite)",
            file, value);
  }

  @Test
  void aProjectedPrefixWithoutOneOfItsTensorsIsRefused(@TempDir Path other) throws IOException {
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    tensors.put(TensorSpec.of(PrefixTensor.EMBEDDING, DType.F32, 2, 64), new float[128]);
    tensors.put(TensorSpec.of(PrefixTensor.HIDDEN_WEIGHT, DType.F32, 64, 64), new float[4096]);
    TensorFiles.writeTorch(other.resolve(PrefixFiles.OFFICIAL), tensors);
    assertThatThrownBy(() -> examine(other))
        .hasMessageEndingWith("it has no tensor transformer.prefix_encoder.trans.0.bias");
  }

  @Test
  void aConfigurationThatContradictsTheTensorsIsRefused() throws IOException {
    write(PLAIN);
    Files.write(
        directory.resolve(ChatGlmConfig.FILE), base.withPrefix(new Prefix(16, false)).toJson());
    assertThatThrownBy(() -> PrefixFiles.examine(folder, PrefixFiles.PREFIX, base, "mine"))
        .hasMessageEndingWith(
            "its tensors are of 2 virtual tokens without projection, config.json beside it says 16 virtual tokens without projection");
  }

  @Test
  void metadataThatContradictTheTensorsAreRefused(@TempDir Path other) throws IOException {
    TensorSpec spec = TensorSpec.of(PrefixTensor.EMBEDDING, DType.F32, 2, 384);
    try (TensorWriter writer =
        new SafetensorsWriter(
            TensorFiles.create(other.resolve(PrefixFiles.PREFIX)),
            List.of(spec),
            Map.of("prefix_projection", "true"))) {
      writer.append(spec.name(), new float[768]);
      writer.finish();
    }
    assertThatThrownBy(() -> examine(other))
        .hasMessageEndingWith(
            "its tensors are of 2 virtual tokens without projection, its metadata say {prefix_projection=true}");
  }

  @Test
  void aDirectoryWithoutAPrefixIsRefused(@TempDir Path empty) {
    assertThatThrownBy(() -> PrefixFiles.find(new LocalFolder(empty)))
        .hasMessageEndingWith("it has neither prefix.safetensors nor pytorch_model.bin");
  }
}
