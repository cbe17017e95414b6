package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.glmtuner.SharedData;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.TensorFiles;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OfficialWeightsTest {
  private static final Path SHARDED = Path.of("src/test/resources/golden/small/model-fp16-sharded");

  @TempDir Path directory;

  @Test
  void readsShardsByTheirIndex() throws IOException {
    try (OfficialWeights weights = open(SHARDED)) {
      assertThat(weights.config().numLayers()).isEqualTo(3);
      assertThat(weights.file("transformer.word_embeddings.weight").location())
          .endsWith("pytorch_model-00001-of-00005.bin");
      assertThat(weights.headFile().orElseThrow().location())
          .endsWith("pytorch_model-00005-of-00005.bin");
    }
  }

  @Test
  void readsTheRealVocabularysShards() throws IOException {
    try (OfficialWeights weights = open(SharedData.require("data/golden/vocab/model"))) {
      assertThat(weights.file("transformer.word_embeddings.weight").tensors())
          .contains(TensorSpec.of("transformer.word_embeddings.weight", DType.F16, 130528, 32));
    }
  }

  @Test
  void prefersSafetensorsToTorchAndAnIndexToAFile() throws IOException {
    Map<TensorSpec, float[]> tensors = ModelFiles.tensors();
    ModelFiles.write(directory, tensors);
    String embedding = "transformer.word_embeddings.weight";
    assertThat(entryFile(embedding)).endsWith("pytorch_model.bin");

    Map<TensorSpec, float[]> rest = new LinkedHashMap<>(tensors);
    rest.remove(ModelFiles.find(tensors, embedding).getKey());
    TensorFiles.writeTorch(directory.resolve("x.bin"), rest);
    StringBuilder map = new StringBuilder();
    for (TensorSpec tensor : tensors.keySet()) {
      map.append(map.isEmpty() ? "" : ",").append('"').append(tensor.name()).append("\":\"");
      map.append(tensor.name().equals(embedding) ? "pytorch_model.bin" : "x.bin").append('"');
    }
    String index = "{\"weight_map\":{" + map + "}}";
    Files.writeString(directory.resolve("pytorch_model.bin.index.json"), index);
    assertThat(entryFile(embedding)).endsWith("pytorch_model.bin");
    assertThat(entryFile("transformer.final_layernorm.bias")).endsWith("x.bin");

    TensorFiles.writeSafetensors(directory.resolve("y.safetensors"), rest);
    TensorFiles.writeSafetensors(
        directory.resolve("z.safetensors"), Map.ofEntries(ModelFiles.find(tensors, embedding)));
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        index.replace("pytorch_model.bin", "z.safetensors").replace("x.bin", "y.safetensors"));
    assertThat(entryFile(embedding)).endsWith("z.safetensors");

    TensorFiles.writeSafetensors(directory.resolve("model.safetensors"), tensors);
    assertThat(entryFile(embedding)).endsWith("model.safetensors");
  }

  private String entryFile(String tensor) throws IOException {
    try (OfficialWeights weights = open(directory)) {
      return weights.file(tensor).location();
    }
  }

  @Test
  void passesOverPrefixEncodersAndRotaryFrequencies() throws IOException {
    Map<TensorSpec, float[]> tensors = ModelFiles.tensors();
    tensors.put(
        TensorSpec.of("transformer.layers.1.attention.rotary_emb.inv_freq", DType.F16, 2),
        new float[2]);
    tensors.put(
        TensorSpec.of("transformer.prefix_encoder.embedding.weight", DType.F32, 1), new float[1]);
    ModelFiles.write(directory, tensors);
    assertThat(entryFile("transformer.final_layernorm.bias")).endsWith("pytorch_model.bin");
  }

  @Test
  void refusesTensorsThatAreMissingMisshapenOrForeign() throws IOException {
    Map<TensorSpec, float[]> tensors = ModelFiles.tensors();
    Map.Entry<TensorSpec, float[]> bias =
        ModelFiles.find(tensors, "transformer.layers.1.mlp.dense_h_to_4h.bias");
    tensors.remove(bias.getKey());
    ModelFiles.write(directory, tensors);
    assertRefused(
        "Cannot read the weights in %s: pytorch_model.bin has no tensor "
            + "transformer.layers.1.mlp.dense_h_to_4h.bias");

    Map<TensorSpec, float[]> changed = new LinkedHashMap<>(tensors);
    changed.put(TensorSpec.of(bias.getKey().name(), DType.F32, 38), new float[38]);
    ModelFiles.write(directory, changed);
    assertRefused(
        "Cannot read tensor transformer.layers.1.mlp.dense_h_to_4h.bias of "
            + "%s/pytorch_model.bin: it is F32 [38] (F16, BF16 or F32 [37] by config.json)");

    tensors.putAll(Map.ofEntries(bias));
    changed = new LinkedHashMap<>(tensors);
    changed.put(
        TensorSpec.of("transformer.layers.2.input_layernorm.bias", DType.F32, 1), new float[1]);
    ModelFiles.write(directory, changed);
    assertRefused(
        "Cannot use the weights in %s: tensor transformer.layers.2.input_layernorm.bias of "
            + "%1$s/pytorch_model.bin has no place in a ChatGLM-6B of 2 layers");

    changed = new LinkedHashMap<>(tensors);
    changed.put(TensorSpec.of("lm_head.weight", DType.F16, 35, 23), new float[35 * 23]);
    ModelFiles.write(directory, changed);
    assertRefused(
        "Cannot read tensor lm_head.weight of %s/pytorch_model.bin: it is F16 [35, 23] "
            + "(F16, BF16 or F32 [35, 24] by config.json)");
  }

  @Test
  void refusesAnIndexThatDoesNotFitItsShards() throws IOException {
    copySharded();
    Path shard = directory.resolve("pytorch_model-00003-of-00005.bin");
    Files.move(shard, directory.resolve("elsewhere"));
    assertRefused(
        "Cannot read %s/pytorch_model-00003-of-00005.bin: there is no such file, but "
            + "pytorch_model.bin.index.json says that it holds ");
    Files.copy(directory.resolve("pytorch_model-00002-of-00005.bin"), shard);
    assertRefused("Cannot read %s/pytorch_model-00003-of-00005.bin: it has no tensor transformer");
    Files.delete(shard);
    Files.move(directory.resolve("elsewhere"), shard);

    Path index = directory.resolve("pytorch_model.bin.index.json");
    String text = Files.readString(index);
    Files.writeString(index, text.replace("pytorch_model-00003", "../pytorch_model-00003"));
    assertRefused(
        "Cannot read %s/pytorch_model.bin.index.json: it names the shard "
            + "../pytorch_model-00003-of-00005.bin (a plain file name)");
    Files.writeString(index, "{\"weight_map\": [1]}");
    assertRefused("Cannot read %s/pytorch_model.bin.index.json: it has no object weight_map");
    Files.writeString(index, "{\"weight_map\": {\"a\": {}}}");
    assertRefused("Invalid shard of a in %s/pytorch_model.bin.index.json: {} (a file name)");
    Files.delete(index);
    assertRefused("Cannot read the weights in %s: there is none of model.safetensors, ");
  }

  @Test
  void refusesAnIndexThatNamesATensorNoShardHas() throws IOException {
    copySharded();
    Path index = directory.resolve("pytorch_model.bin.index.json");
    String text = Files.readString(index);
    Files.writeString(
        index,
        text.replace(
            "\"weight_map\": {",
            "\"weight_map\": {\"transformer.layers.3.input_layernorm.bias\":"
                + " \"pytorch_model-00004-of-00005.bin\","));
    assertRefused(
        "Cannot read %s/pytorch_model-00004-of-00005.bin: it has no tensor "
            + "transformer.layers.3.input_layernorm.bias, which pytorch_model.bin.index.json says"
            + " it holds");
  }

  @Test
  void refusesAShardThatWasCutShort() throws IOException {
    copySharded();
    Path shard = directory.resolve("pytorch_model-00002-of-00005.bin");
    byte[] whole = Files.readAllBytes(shard);
    Files.write(shard, Arrays.copyOf(whole, whole.length * 2 / 3));
    assertRefused(
        "Cannot read %s/pytorch_model-00002-of-00005.bin: the zip directory at its end is missing"
            + " or damaged, perhaps the file was cut short");
  }

  @Test
  void saysWhichFileIsStaleWhereVocabulariesDiffer() throws IOException {
    writeVocabularies(150528, 130528, 130528);
    assertRefused(
        "Cannot use the weights in %s: config.json has the vocab_size 150528, "
            + "transformer.word_embeddings.weight of a.safetensors 130528 rows (config.json is"
            + " stale: it is of ChatGLM-6B's first release, of before 2023-04-06, a.safetensors is"
            + " of ChatGLM-6B since 2023-04-06)");
    writeVocabularies(130528, 150528, 130528);
    assertRefused(
        "Cannot use the weights in %s: config.json has the vocab_size 130528, "
            + "transformer.word_embeddings.weight of a.safetensors 150528 rows (a.safetensors is"
            + " stale: it is of ChatGLM-6B's first release");
    writeVocabularies(130528, 130528, 150528);
    assertRefused(
        "Cannot use the weights in %s: transformer.word_embeddings.weight of a.safetensors has "
            + "130528 rows, lm_head.weight of b.safetensors 150528 rows (b.safetensors is stale: ");
    writeVocabularies(130528, 1000, 1000);
    assertRefused(
        "Cannot use the weights in %s: config.json has the vocab_size 130528, "
            + "transformer.word_embeddings.weight of a.safetensors 1000 rows (take config.json and"
            + " a.safetensors from the same release)");
  }

  /** A narrow model in two shards, the output matrix in one of its own. */
  private void writeVocabularies(int config, int embedding, int head) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.writeString(
        directory.resolve("config.json"),
        ModelFiles.CONFIG.replace("\"vocab_size\": 35", "\"vocab_size\": " + config));
    Map<TensorSpec, float[]> tensors = ModelFiles.tensors();
    tensors.remove(ModelFiles.find(tensors, ModelTensor.EMBEDDING).getKey());
    tensors.put(
        TensorSpec.of(ModelTensor.EMBEDDING, DType.F16, embedding, 24), new float[embedding * 24]);
    TensorFiles.writeSafetensors(directory.resolve("a.safetensors"), tensors);
    TensorFiles.writeSafetensors(
        directory.resolve("b.safetensors"),
        Map.of(TensorSpec.of(ModelTensor.HEAD, DType.F16, head, 24), new float[head * 24]));
    StringBuilder map = new StringBuilder("\"lm_head.weight\": \"b.safetensors\"");
    tensors.keySet().forEach(tensor -> map.append(",\"" + tensor.name() + "\": \"a.safetensors\""));
    Files.writeString(
        directory.resolve("model.safetensors.index.json"), "{\"weight_map\":{" + map + "}}");
  }

  @Test
  void hasAFingerprintThatAnyFileChanges() throws IOException {
    copySharded();
    String original = fingerprint();
    assertThat(original).matches("[0-9a-f]{64}").isEqualTo(fingerprint());

    Path config = directory.resolve("config.json");
    String text = Files.readString(config);
    Files.writeString(config, text + " ");
    assertThat(fingerprint()).isNotEqualTo(original);
    Files.writeString(config, text);
    Path index = directory.resolve("pytorch_model.bin.index.json");
    Files.writeString(index, Files.readString(index) + " ");
    String other = fingerprint();
    assertThat(other).isNotEqualTo(original);
    flipByte(directory.resolve("pytorch_model-00004-of-00005.bin"), 20_000);
    assertThat(fingerprint()).isNotEqualTo(other);
  }

  @Test
  void samplesALargeFileAtItsEndsAndBetween() throws IOException {
    Path file = directory.resolve("large");
    long size = 100L << 20;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), size - 1);
    }
    String original = ModelFingerprint.of(new LocalFolder(directory), List.of(), List.of("large"));
    long sample = (size - (1 << 20)) / 17 * 5;
    for (long position : new long[] {0, (1 << 20) - 1, sample, sample + 65535, size - 1}) {
      flipByte(file, position);
      assertThat(ModelFingerprint.of(new LocalFolder(directory), List.of(), List.of("large")))
          .as("byte %d", position)
          .isNotEqualTo(original);
      flipByte(file, position);
    }
    flipByte(file, sample - 1);
    assertThat(ModelFingerprint.of(new LocalFolder(directory), List.of(), List.of("large")))
        .as("what lies between the samples is not read")
        .isEqualTo(original);
  }

  private static void flipByte(Path file, long position) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, position);
      channel.write(one.put(0, (byte) ~one.get(0)).flip(), position);
    }
  }

  private String fingerprint() throws IOException {
    try (OfficialWeights weights = open(directory)) {
      return weights.fingerprint();
    }
  }

  private void copySharded() throws IOException {
    try (Stream<Path> files = Files.list(SHARDED)) {
      for (Path file : files.toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> open(directory))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessageStartingWith(message, directory);
  }

  private static OfficialWeights open(Path directory) throws IOException {
    return OfficialWeights.open(new LocalFolder(directory));
  }
}
