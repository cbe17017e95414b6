package org.glmtuner.inspection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.glmtuner.SharedData;
import org.glmtuner.checkpoint.Checkpoints;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.Manifest;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorFiles;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.checkpoint.TrainerState;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.PrefixTensor;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.WeightFile;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.storage.SourcePath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectorTest {
  private static final Path GOLDEN = Checkout.goldenSmall();

  @TempDir Path directory;

  private static Inspection inspect(Path path, boolean thorough) throws IOException {
    return new Inspector(thorough, bytes -> {}).inspect(SourcePath.find(path.toString()));
  }

  private static JsonObject json(Inspection inspection) {
    return JsonParser.parseString(inspection.toJson()).getAsJsonObject();
  }

  private Path copy(Path source, String name) throws IOException {
    Path target = Files.createDirectories(directory.resolve(name));
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return target;
  }

  @Test
  void aModelIsExplained() throws IOException {
    Inspection inspection = inspect(GOLDEN.resolve("model-fp16-sharded"), true);
    assertThat(inspection.problems()).isEmpty();
    JsonObject json = json(inspection);
    assertThat(json.get("holds").getAsString()).isEqualTo("model");
    assertThat(json.get("num_layers").getAsInt()).isEqualTo(3);
    assertThat(json.get("files").getAsInt()).isEqualTo(5);
    assertThat(json.get("parameters").getAsLong())
        .isEqualTo(512 * 64 + 3 * (12480 + 4160 + 10400 + 10304 + 256) + 128);
    assertThat(json.get("fingerprint").getAsString()).hasSize(64);
    assertThat(json.get("weights").getAsString()).isEqualTo("of no known release");
    assertThat(json.getAsJsonObject("values").keySet()).containsExactly("F16", "F32");
    assertThat(json.getAsJsonArray("tensors")).hasSize(2 + 2 + 3 * 13);
    assertThat(inspection.toText())
        .contains(
            "  transformer.layers.*.attention.query_key_value.weight  F16 [192, 64]  x 3",
            "  vocabulary of: no known release",
            "No problems found");
  }

  @Test
  void theRealTokenizerIsRecognised() throws IOException {
    Path model = copy(SharedData.require("data/golden/vocab/model"), "model");
    Files.copy(
        SharedData.require("data/chatglm-6b/ice_text.model"), model.resolve("ice_text.model"));
    JsonObject json = json(inspect(model, false));
    assertThat(json.get("tokenizer").getAsString())
        .isEqualTo("that of ChatGLM-6B since 2023-04-06");
    assertThat(json.get("vocabulary_of").getAsString()).isEqualTo("ChatGLM-6B since 2023-04-06");
    assertThat(json.getAsJsonArray("problems")).isEmpty();
  }

  @Test
  void allThatIsWrongWithAModelIsListedAtOnce() throws IOException {
    Path model = copy(GOLDEN.resolve("model-fp16-sharded"), "model");
    Path cut = model.resolve("pytorch_model-00002-of-00005.bin");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 5000));
    Path flipped = model.resolve("pytorch_model-00004-of-00005.bin");
    byte[] bytes = Files.readAllBytes(flipped);
    bytes[bytes.length / 2] ^= 1;
    Files.write(flipped, bytes);
    Files.copy(
        Checkout.module().resolve("src/sample/tiny-chatglm/ice_text.model"),
        model.resolve("ice_text.model"));
    List<String> problems = inspect(model, true).problems();
    assertThat(problems)
        .anyMatch(p -> p.contains(cut + ": the zip directory at its end is missing or damaged"))
        .anyMatch(p -> p.contains(flipped + ": its bytes have the CRC-32"))
        .anyMatch(p -> p.startsWith("Cannot use the tokenizer " + model + "/ice_text.model"))
        .hasSize(3);
  }

  @Test
  void anOutputMatrixThatIsNotTheEmbeddingIsAProblem() throws IOException {
    Path model = copy(GOLDEN.resolve("model-fp16-sharded"), "model");
    Path shard = model.resolve("pytorch_model-00005-of-00005.bin");
    float[] head;
    try (TensorFile file =
        TensorFile.open(new LocalFolder(model), shard.getFileName().toString())) {
      head = file.readFloats("lm_head.weight");
    }
    head[700] = 9;
    Files.delete(shard);
    TensorFiles.writeTorch(
        shard, Map.of(TensorSpec.of("lm_head.weight", DType.F16, 512, 64), head));
    assertThat(inspect(model, false).problems()).isEmpty();
    assertThat(inspect(model, true).problems())
        .singleElement()
        .asString()
        .startsWith(
            "Cannot use the weights in "
                + model
                + ": lm_head.weight of pytorch_model-00005-of-00005.bin has 9.0 at element 700,"
                + " transformer.word_embeddings.weight of pytorch_model-00001-of-00005.bin has ")
        .endsWith(" (ChatGLM-6B has them tied)");
  }

  @Test
  void anOfficialCheckpointIsExplained() throws IOException {
    Inspection inspection = inspect(GOLDEN.resolve("prefix-init/p8"), false);
    assertThat(inspection.problems()).isEmpty();
    JsonObject json = json(inspection);
    assertThat(json.get("holds").getAsString()).isEqualTo("prefix");
    assertThat(json.get("prefix_length").getAsInt()).isEqualTo(8);
    assertThat(json.get("projection").getAsBoolean()).isFalse();
    assertThat(json.get("parameters").getAsInt()).isEqualTo(8 * 384);
    assertThat(json.get("files").getAsString()).isEqualTo("prefix.safetensors, pytorch_model.bin");
    assertThat(json(inspect(GOLDEN.resolve("prefix-init/p8/pytorch_model.bin"), false)))
        .extracting(one -> one.get("prefix_length").getAsInt())
        .isEqualTo(8);
  }

  @Test
  void aPrefixTrainedOnAQuantisedBaseIsNoProblem() throws IOException {
    Path checkpoint = copy(GOLDEN.resolve("prefix-init/p8"), "checkpoint");
    Path config = checkpoint.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config).replace("\"quantization_bit\": 0", "\"quantization_bit\": 4"));
    assertThat(inspect(checkpoint, false).problems()).isEmpty();
  }

  @Test
  void aDamagedPrefixIsExplained() throws IOException {
    Path checkpoint = Files.createDirectory(directory.resolve("checkpoint"));
    float[] values = new float[8 * 384];
    values[700] = Float.NaN;
    TensorFiles.writeTorch(
        checkpoint.resolve("pytorch_model.bin"),
        Map.of(TensorSpec.of(PrefixTensor.EMBEDDING, DType.F32, 8, 384), values));
    Files.writeString(
        checkpoint.resolve("config.json"),
        Files.readString(GOLDEN.resolve("prefix-init/p8/config.json"))
            .replace("\"pre_seq_len\": 8", "\"pre_seq_len\": 9"));
    assertThat(inspect(checkpoint, false).problems())
        .containsExactly(
            "Cannot use tensor transformer.prefix_encoder.embedding.weight of "
                + checkpoint
                + "/pytorch_model.bin: element 700 is NaN (all must be finite)",
            "Cannot use the prefix "
                + checkpoint
                + ": it has 8 virtual tokens without a projection, but by the config.json that"
                + " it is used with it says pre_seq_len 9 without a projection");
  }

  /** A checkpoint of ours in a run's directory. */
  private Path publish(Path run, long step) throws IOException {
    Path gathered = Files.createDirectories(run.resolve("gathered"));
    ChatGlmConfig config = ChatGlmConfig.read(new LocalFolder(GOLDEN.resolve("model")));
    ByteBuffer values = ByteBuffer.allocate(8 * 384 * Float.BYTES);
    new PrefixFiles(config, new ChatGlmConfig.Prefix(8, false), "f".repeat(64), step)
        .write(
            gathered,
            Map.of(PrefixTensor.EMBEDDING, List.of(values)),
            Map.of(PrefixTensor.EMBEDDING + ".exp_avg", List.of(values.duplicate())));
    new TrainerState(step, step, 0, null, 0).write(gathered);
    List<Manifest.Entry> files;
    try (Stream<Path> paths = Files.list(gathered)) {
      files =
          paths
              .sorted()
              .map(
                  path -> {
                    try {
                      byte[] bytes = Files.readAllBytes(path);
                      return new Manifest.Entry(
                          path.getFileName().toString(), bytes.length, Digests.hex(bytes));
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  })
              .toList();
    }
    new Checkpoints(Directory.ofArgument(run.toString()))
        .publish("gathered", new Manifest(step, 2, "abc", null, false, files), 0);
    return run.resolve("checkpoint-" + step);
  }

  private Path run() throws IOException {
    Path run = Files.createDirectory(directory.resolve("run"));
    Files.writeString(
        run.resolve("run.json"),
        "{\"configuration\": {}, \"fingerprints\": {\"base\": \"12ab\"}, \"attempts\": 2}");
    Files.writeString(run.resolve("metrics.jsonl"), "{\"step\":9,\"loss\":3.5}\n");
    return run;
  }

  @Test
  void aRunIsExplainedWithItsCheckpoints() throws IOException {
    Path run = run();
    publish(run, 10);
    publish(run, 20);
    Inspection inspection = inspect(run, true);
    assertThat(inspection.problems()).isEmpty();
    JsonObject json = json(inspection);
    assertThat(json.get("holds").getAsString()).isEqualTo("run");
    assertThat(json.get("status").getAsString()).startsWith("unfinished");
    assertThat(json.get("attempts").getAsInt()).isEqualTo(2);
    assertThat(json.get("loss").getAsDouble()).isEqualTo(3.5);
    assertThat(json.get("latest").getAsString()).isEqualTo("checkpoint-20");
    JsonObject newest = json.getAsJsonArray("parts").get(1).getAsJsonObject();
    assertThat(newest.get("step").getAsLong()).isEqualTo(20);
    assertThat(newest.get("world_size").getAsInt()).isEqualTo(2);
    assertThat(newest.getAsJsonObject("metadata").get("base_fingerprint").getAsString())
        .isEqualTo("f".repeat(64));
    assertThat(inspection.toText()).contains("  fingerprints:", "    base: 12ab");
  }

  @Test
  void onlyTheLinesOfStepsAreCountedAndACutOneIsNoProblem() throws IOException {
    Path run = run();
    Files.writeString(
        run.resolve("metrics.jsonl"),
        """
        {"step":0,"eval_loss":9.5,"with_prefix":false}
        {"step":9,"loss":3.5}
        {"step":18,"loss":2.5}
        {"step":18,"eval_loss":2.75,"with_prefix":true}
        {"step":27,"lo""");
    Inspection inspection = inspect(run, false);
    assertThat(inspection.problems()).isEmpty();
    assertThat(json(inspection).get("logged_steps").getAsLong()).isEqualTo(2);
    assertThat(json(inspection).get("step").getAsLong()).isEqualTo(18);
    assertThat(json(inspection).get("loss").getAsDouble()).isEqualTo(2.5);
    Files.writeString(run.resolve("metrics.jsonl"), "{\"step\":9,\"loss\":3.5}\nnothing}\n");
    assertThat(inspect(run, false).problems())
        .containsExactly(
            "Cannot read file:" + run + "/metrics.jsonl: it has a line that is no JSON object");
  }

  @Test
  void damagedCheckpointsOfARunAreNamed() throws IOException {
    Path run = run();
    Path first = publish(run, 10);
    Path second = publish(run, 20);
    Path third = publish(run, 30);
    Files.delete(first.resolve("manifest.json"));
    long optimizerBytes = Files.size(second.resolve("optimizer.safetensors"));
    Files.write(second.resolve("optimizer.safetensors"), new byte[3]);
    Path prefix = third.resolve("prefix.safetensors");
    byte[] bytes = Files.readAllBytes(prefix);
    bytes[bytes.length - 1] ^= 1;
    Files.write(prefix, bytes);
    Files.writeString(run.resolve("latest"), "checkpoint-40\n");
    assertThat(inspect(run, false).problems())
        .containsExactly(
            "Cannot resume from file:"
                + first
                + ": it has no manifest.json, so it was never completed",
            "Cannot find the checkpoint checkpoint-40 that file:" + run + "/latest names",
            "Cannot use the checkpoint file:"
                + second
                + ": its optimizer.safetensors has 3 bytes, "
                + optimizerBytes
                + " were written",
            "Cannot use the checkpoint file:"
                + third
                + ": prefix.safetensors has SHA-256 "
                + Digests.hex(bytes)
                + ", not that of its manifest");
  }

  @Test
  void aWeightFileIsExplained() throws IOException {
    Path file = directory.resolve("weights.safetensors");
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(GOLDEN.resolve("model")))) {
      WeightFile.convert(weights, Precision.BF16, file, ProgressListener.NONE);
    }
    JsonObject json = json(inspect(file, true));
    assertThat(json.get("holds").getAsString()).isEqualTo("weight-file");
    assertThat(json.getAsJsonObject("metadata").get("precision").getAsString()).isEqualTo("bf16");
    assertThat(json.getAsJsonArray("problems")).isEmpty();
  }

  @Test
  void whatCannotBeToldIsRefused() throws IOException {
    assertThatThrownBy(() -> inspect(directory.resolve("nowhere"), false))
        .isInstanceOf(TunerException.class)
        .hasMessage("Cannot read file:%s/nowhere: there is no such file or directory", directory);
    Files.writeString(directory.resolve("thesis.txt"), "precious, and long enough");
    assertThatThrownBy(() -> inspect(directory, false))
        .hasMessageStartingWith("Cannot tell what " + directory + " holds: there is no run.json");
    assertThatThrownBy(() -> inspect(directory.resolve("thesis.txt"), false))
        .hasMessageEndingWith(
            "it is neither a safetensors file nor a torch archive, by its first bytes");
  }
}
