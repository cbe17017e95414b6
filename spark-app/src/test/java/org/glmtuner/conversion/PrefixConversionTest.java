package org.glmtuner.conversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.PrefixCopy.Form;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorFiles;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.PrefixTensor;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrefixConversionTest {
  private static final Path PLAIN = Checkout.goldenSmall().resolve("prefix-init/p8");
  private static final Path BASE = Checkout.goldenSmall().resolve("model");

  @TempDir Path directory;

  private Path convert(Path source, String file, Set<Form> forms, String name) throws IOException {
    Path target = directory.resolve(name);
    PrefixConversion.convert(
        new LocalFolder(source),
        file,
        forms,
        Optional.of(new LocalFolder(BASE)),
        target.toString(),
        ProgressListener.NONE);
    return target;
  }

  private static Map<TensorSpec, ByteBuffer> tensors(Path directory, String name)
      throws IOException {
    Map<TensorSpec, ByteBuffer> tensors = new LinkedHashMap<>();
    try (TensorFile file = TensorFile.open(new LocalFolder(directory), name)) {
      for (TensorSpec spec : file.tensors()) {
        ByteBuffer bytes = ByteBuffer.allocate((int) spec.bytes());
        file.readBytes(spec.name(), 0, bytes);
        tensors.put(spec, bytes.flip());
      }
    }
    return tensors;
  }

  private static Map<TensorSpec, float[]> projected() {
    String encoder = PrefixTensor.ENCODER;
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    for (TensorSpec spec :
        new TensorSpec[] {
          TensorSpec.of(encoder + "embedding.weight", DType.F32, 5, 64),
          TensorSpec.of(encoder + "trans.0.weight", DType.F32, 64, 64),
          TensorSpec.of(encoder + "trans.0.bias", DType.F32, 64),
          TensorSpec.of(encoder + "trans.2.weight", DType.F32, 384, 64),
          TensorSpec.of(encoder + "trans.2.bias", DType.F32, 384)
        }) {
      tensors.put(spec, TensorFiles.random(new Random(7), spec.elements()));
    }
    return tensors;
  }

  private void goesRound(Path source, boolean projection) throws IOException {
    Map<TensorSpec, ByteBuffer> original = tensors(source, PrefixFiles.OFFICIAL);
    Path safetensors =
        convert(source, PrefixFiles.OFFICIAL, EnumSet.of(Form.SAFETENSORS), "safetensors");
    assertThat(tensors(safetensors, PrefixFiles.PREFIX)).isEqualTo(original);
    assertThat(safetensors.resolve(PrefixFiles.OFFICIAL)).doesNotExist();
    Path official = convert(safetensors, PrefixFiles.PREFIX, EnumSet.of(Form.OFFICIAL), "official");
    assertOfficial(official.resolve(PrefixFiles.OFFICIAL), source.resolve(PrefixFiles.OFFICIAL));
    Path both = convert(official, PrefixFiles.OFFICIAL, EnumSet.allOf(Form.class), "both");
    assertThat(tensors(both, PrefixFiles.PREFIX)).isEqualTo(original);
    assertThat(tensors(both, PrefixFiles.OFFICIAL)).isEqualTo(original);
    int length = original.keySet().iterator().next().shape().get(0).intValue();
    for (Path form : new Path[] {safetensors, official, both}) {
      assertThat(ChatGlmConfig.read(new LocalFolder(form)).prefix())
          .contains(new ChatGlmConfig.Prefix(length, projection));
    }
  }

  /** The file of the official trainer, but for the id of 40 digits and the sums over it. */
  private static void assertOfficial(Path found, Path expected) throws IOException {
    byte[] ours = Files.readAllBytes(found);
    byte[] theirs = Files.readAllBytes(expected);
    assertThat(ours).hasSameSizeAs(theirs);
    assertThat(IntStream.range(0, ours.length).filter(i -> ours[i] != theirs[i]).count())
        .isLessThanOrEqualTo(40 + 2 * Integer.BYTES);
  }

  @Test
  void aPlainPrefixGoesThroughAllFormsBitByBit() throws IOException {
    goesRound(PLAIN, false);
  }

  @Test
  void aProjectedPrefixGoesThroughAllFormsBitByBit() throws IOException {
    Path source = Files.createDirectory(directory.resolve("source"));
    TensorFiles.writeTorch(source.resolve(PrefixFiles.OFFICIAL), "pytorch_model", projected());
    goesRound(source, true);
  }

  @Test
  void whatASafetensorsFileSaysOfItselfGoesOnIntoTheNext() throws IOException {
    Path first = convert(PLAIN, PrefixFiles.PREFIX, EnumSet.of(Form.SAFETENSORS), "first");
    try (TensorFile before = TensorFile.open(new LocalFolder(PLAIN), PrefixFiles.PREFIX);
        TensorFile after = TensorFile.open(new LocalFolder(first), PrefixFiles.PREFIX)) {
      assertThat(after.metadata())
          .containsAllEntriesOf(before.metadata())
          .containsEntry("pre_seq_len", "8")
          .containsEntry("prefix_projection", "false");
    }
  }

  @Test
  void aPrefixTrainedOnAQuantisedBaseLosesTheNoteOfIt() throws IOException {
    Path source = Files.createDirectory(directory.resolve("source"));
    Files.copy(PLAIN.resolve(PrefixFiles.OFFICIAL), source.resolve(PrefixFiles.OFFICIAL));
    Files.writeString(
        source.resolve(ChatGlmConfig.FILE),
        Files.readString(PLAIN.resolve(ChatGlmConfig.FILE))
            .replace("\"quantization_bit\": 0", "\"quantization_bit\": 4"));
    Path copy = convert(source, PrefixFiles.OFFICIAL, EnumSet.of(Form.SAFETENSORS), "copy");
    assertThat(ChatGlmConfig.read(new LocalFolder(copy)).prefix())
        .contains(new ChatGlmConfig.Prefix(8, false));
    assertThat(copy.resolve(ChatGlmConfig.FILE)).content().doesNotContain("quantization_bit");
  }

  @Test
  void aPrefixOfAnotherBaseOrLengthThanItsConfigurationIsRefused() throws IOException {
    Path source = Files.createDirectory(directory.resolve("source"));
    Map<TensorSpec, float[]> tensors = projected();
    TensorFiles.writeTorch(source.resolve(PrefixFiles.OFFICIAL), tensors);
    Path config = source.resolve(ChatGlmConfig.FILE);
    String text = Files.readString(BASE.resolve(ChatGlmConfig.FILE));
    Files.writeString(config, text.replace("\"num_layers\": 3", "\"num_layers\": 4"));
    refuses(
        source,
        "its keys and values have the width 384, but by the config.json that it is used with"
            + " 2 x num_layers x hidden_size is 512");
    Files.writeString(config, text.replace("{", "{\"pre_seq_len\": 5,"));
    refuses(
        source,
        "it has 5 virtual tokens with a projection, but by the config.json that it is used with"
            + " it says pre_seq_len 5 without a projection");
  }

  @Test
  void aPrefixThatDoesNotFitTogetherOrIsNotFiniteIsRefused() throws IOException {
    Path source = Files.createDirectory(directory.resolve("source"));
    Path file = source.resolve(PrefixFiles.OFFICIAL);
    Map<TensorSpec, float[]> tensors = projected();
    TensorSpec bias = TensorSpec.of(PrefixTensor.ENCODER + "trans.2.bias", DType.F32, 384);
    tensors.get(bias)[383] = Float.POSITIVE_INFINITY;
    TensorFiles.writeTorch(file, tensors);
    refuses(source, "element 383 is Infinity (all must be finite)");
    Files.delete(file);
    tensors.remove(bias);
    TensorFiles.writeTorch(file, tensors);
    refuses(source, "it has no tensor transformer.prefix_encoder.trans.2.bias");
    Files.delete(file);
    tensors.put(TensorSpec.of(bias.name(), DType.F32, 383), new float[383]);
    TensorFiles.writeTorch(file, tensors);
    refuses(source, "it is F32 [383] (F32, F16 or BF16 [384], by the tensors beside it)");
  }

  private void refuses(Path source, String reason) throws IOException {
    assertThatThrownBy(
            () -> convert(source, PrefixFiles.OFFICIAL, EnumSet.allOf(Form.class), "refused"))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessageEndingWith(reason);
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).containsExactly(source);
    }
  }
}
