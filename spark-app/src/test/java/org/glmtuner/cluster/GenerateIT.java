package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.TensorFiles;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The {@code generate} command, from a file of prompts to lines of completions. */
class GenerateIT {
  private static final Path GOLDEN = Checkout.goldenSmall();
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final int MOST = 24;
  private static final int EOP = 505;
  private static final int REPEATS = 5;

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;

  private Submission.Builder generate(Path model, String... arguments) {
    return Submission.of(directory, "generate")
        .arguments(arguments)
        .set("model.path", model)
        .set("model.precision", "fp32")
        .set("prefix.length", 8)
        .set("generation.max-new-tokens", MOST)
        .set("ranks.cores", 1)
        .cache(cache);
  }

  private static JsonArray golden(String name) throws IOException {
    return JsonParser.parseString(Files.readString(GOLDEN.resolve("generation.json")))
        .getAsJsonObject()
        .getAsJsonArray(name);
  }

  /** What the official code wrote, up to eop. */
  private static JsonArray expected(JsonElement group) {
    JsonArray ids = new JsonArray();
    for (JsonElement id :
        group.getAsJsonObject().getAsJsonArray("new_ids").get(0).getAsJsonArray()) {
      if (id.getAsInt() == EOP) {
        break;
      }
      ids.add(id);
    }
    return ids;
  }

  /** The golden prompts, over and over. */
  private Path prompts() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < REPEATS; i++) {
      for (JsonElement group : golden("base")) {
        JsonObject row = new JsonObject();
        row.add("input_ids", group.getAsJsonObject().getAsJsonArray("input_ids").get(0));
        lines.add(row.toString());
      }
    }
    return Files.write(directory.resolve("prompts.jsonl"), lines);
  }

  @Test
  void aProjectedPrefixIsToldFromAPlainOneByItsCheckpoint() throws Exception {
    try (Submission submission =
        generate(
                GOLDEN.resolve("model"),
                "--prompts",
                prompts().toString(),
                "--checkpoint",
                GOLDEN.resolve("prefix-init/p8-proj").toString())
            .run(LIMIT)) {
      List<String> lines = submission.outLines();
      assertThat(lines).as(submission.err()).hasSize(4 * REPEATS + 1);
      for (int i = 0; i < 4 * REPEATS; i++) {
        assertThat(JsonParser.parseString(lines.get(i)).getAsJsonObject().get("new_ids"))
            .isEqualTo(expected(golden("p8-proj").get(i % 4)));
      }
    }
  }

  @Test
  void promptsOfIdsOnHdfsBecomeWhatTheOfficialCodeWritesWithAndWithoutThePrefix() throws Exception {
    try (HdfsProcess hdfs = HdfsProcess.start(Files.createDirectory(directory.resolve("hdfs")));
        Submission submission =
            generate(
                    GOLDEN.resolve("model"),
                    "--prompts",
                    hdfs.put(prompts(), "/prompts.jsonl"),
                    "--output",
                    hdfs.uri() + "/completions.jsonl",
                    "--checkpoint",
                    GOLDEN.resolve("prefix-init/p8").toString(),
                    "--compare-base")
                .set("ranks.count", 2)
                .set("generation.batch-size", 3)
                .run(LIMIT)) {
      assertThat(submission.result().get("prompts").getAsInt())
          .as(submission.err())
          .isEqualTo(4 * REPEATS);
      assertThat(submission.err()).contains("20 of 20 prompts, 0:00:00 left");
      List<String> lines = read(hdfs.uri() + "/completions.jsonl");
      assertThat(lines).hasSize(4 * REPEATS);
      for (int i = 0; i < lines.size(); i++) {
        JsonObject line = JsonParser.parseString(lines.get(i)).getAsJsonObject();
        JsonObject prompt = golden("base").get(i % 4).getAsJsonObject();
        assertThat(line.get("input_ids")).isEqualTo(prompt.getAsJsonArray("input_ids").get(0));
        assertThat(line.get("new_ids")).isEqualTo(expected(golden("p8").get(i % 4)));
        assertThat(line.get("base_new_ids")).isEqualTo(expected(prompt));
      }
    }
  }

  private static List<String> read(String uri) throws IOException {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(uri);
    try (FileSystem files = FileSystem.newInstance(path.toUri(), new Configuration(true));
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(files.open(path), StandardCharsets.UTF_8))) {
      return reader.lines().toList();
    }
  }

  @Test
  void whatIsDrawnDependsNeitherOnRanksNorOnBatches() throws Exception {
    List<String> one = drawn(1, 8, 42);
    assertThat(drawn(2, 3, 42)).isEqualTo(one);
    assertThat(drawn(1, 8, 43)).isNotEqualTo(one);
    assertThat(one.stream().distinct().count()).isGreaterThan(8); // of four prompts
  }

  private List<String> drawn(int ranks, int batch, long seed) throws Exception {
    try (Submission submission =
        generate(GOLDEN.resolve("model"), "--prompts", prompts().toString())
            .set("ranks.count", ranks)
            .set("generation.batch-size", batch)
            .set("generation.do-sample", true)
            .set("generation.temperature", 2)
            .set("generation.repetition-penalty", 1.2)
            .set("generation.seed", seed)
            .run(LIMIT)) {
      assertThat(submission.result().get("status").getAsString())
          .as(submission.err())
          .isEqualTo("finished");
      return submission.outLines().subList(0, 4 * REPEATS);
    }
  }

  @Test
  void bytesBecomeCharactersAndMarksFullWidthWhereChatIsAskedFor() throws Exception {
    Path model = SpellingModel.write(directory.resolve("model"), "好,👋㐂!", cache.resolve("djl"));
    try (Submission submission =
        generate(model, "--prompt", "一", "--prompt", "二", "-D", "generation.text=chat")
            .set("ranks.count", 1)
            .run(LIMIT)) {
      assertThat(submission.result().get("prompts").getAsInt()).as(submission.err()).isEqualTo(2);
      assertThat(submission.outLines().subList(0, 2))
          .containsExactly(
              "{\"prompt\":\"一\",\"text\":\"好，👋㐂!\"}", "{\"prompt\":\"二\",\"text\":\"好，👋㐂!\"}");
    }
  }

  @Test
  void logitsThatAreNotANumberAreAnErrorThatNamesThePrompt() throws Exception {
    Path prefix =
        Files.createDirectory(directory.resolve("huge")); // finite, and its products are not
    float[] values = new float[8 * 384];
    Arrays.fill(values, Float.MAX_VALUE);
    TensorSpec embedding =
        TensorSpec.of("transformer.prefix_encoder.embedding.weight", DType.F32, 8, 384);
    TensorFiles.writeSafetensors(prefix.resolve("prefix.safetensors"), Map.of(embedding, values));
    try (Submission submission =
        generate(
                GOLDEN.resolve("model"),
                "--prompts",
                prompts().toString(),
                "--checkpoint",
                prefix.toString())
            .set("ranks.count", 1)
            .start()) {
      assertThat(submission.await(LIMIT))
          .as(submission.err())
          .isEqualTo(ExitCode.DIVERGED.number());
      assertThat(submission.result().get("error").getAsString())
          .startsWith("Cannot complete prompt ")
          .contains(": the logit of token 0 is NaN after 0 new tokens (rank 0 on ");
    }
  }
}
