package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.glmtuner.SharedData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real ADGEN rows and the real tokenizer, from HDFS, with a model of the real vocabulary. */
class AdgenIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir Path directory;
  private HdfsProcess hdfs;
  private String model;
  private String rows;

  @BeforeEach
  void putOnHdfs() throws Exception {
    Path golden = SharedData.require("data/golden/vocab/model");
    Path tokenizer = SharedData.require("data/chatglm-6b/ice_text.model");
    Path adgen = SharedData.require("data/adgen/dev.json");
    Path local = Files.createDirectory(directory.resolve("model"));
    try (Stream<Path> files = Files.list(golden)) {
      for (Path file : files.toList()) {
        Files.copy(file, local.resolve(file.getFileName()));
      }
    }
    Files.copy(tokenizer, local.resolve(tokenizer.getFileName()));
    hdfs = HdfsProcess.start(directory.resolve("hdfs"));
    model = hdfs.put(local, "/model");
    rows = hdfs.put(adgen, "/adgen/dev.json");
  }

  @AfterEach
  void stopHdfs() throws Exception {
    if (hdfs != null) {
      hdfs.close();
    }
  }

  private Submission.Builder submission(String command) {
    return Submission.of(directory, command)
        .hdfs(hdfs)
        .set("model.path", model)
        .set("data.train", rows)
        .set("data.prompt-column", "content")
        .set("data.response-column", "summary")
        .cache(directory.resolve("cache"));
  }

  @Test
  void trainsOnTwoRanksOfTwoExecutors() throws Exception {
    Leftovers leftovers = Leftovers.watch(directory.resolve("cache"));
    try (Submission submission =
        submission("train")
            .arguments("--master", "local-cluster[2,1,1024]")
            .set("run.directory", hdfs.uri() + "/runs/adgen")
            .set("prefix.length", 8)
            .set("training.max-steps", 20)
            .set("training.log-every", 5)
            .set("ranks.count", 2)
            .set("ranks.cores", 1)
            .run(LIMIT)) {
      JsonObject result = submission.result();
      assertThat(result.get("status").getAsString()).as(submission.err()).isEqualTo("finished");
      assertThat(result.get("steps").getAsInt()).isEqualTo(20);
      assertThat(result.get("world_size").getAsInt()).isEqualTo(2);
      assertThat(result.get("backend").getAsString()).startsWith("mpi (MPICH Version: 5");
      assertThat(result.get("checkpoint").getAsString()).startsWith(hdfs.uri());
      assertThat(result.get("final_loss").getAsDouble())
          .isLessThan(result.get("first_loss").getAsDouble());
      assertThat(submission.err()).contains("1070 samples, 0 malformed rows");
      assertThat(hdfs.directory("/runs/adgen/checkpoint-20").children())
          .contains("manifest.json", "pytorch_model.bin", "prefix.safetensors", "config.json");
      leftovers.assertNone();
    }
  }

  @Test
  void tokenizeShowsTheOfficialIds() throws Exception {
    Path golden = SharedData.require("data/golden/text/tokenizer.jsonl");
    List<String> lines = Files.readAllLines(golden);
    rows = hdfs.put(golden, "/tokenizer.jsonl");
    try (Submission submission =
        submission("tokenize").set("data.prompt-column", "text").run(LIMIT)) {
      List<String> out = submission.outLines();
      assertThat(out).as(submission.err()).hasSize(lines.size() + 1);
      for (int i = 0; i < lines.size(); i++) {
        JsonObject expected = JsonParser.parseString(lines.get(i)).getAsJsonObject();
        assertThat(JsonParser.parseString(out.get(i)).getAsJsonObject().get("ids"))
            .as(expected.get("text").toString())
            .isEqualTo(expected.get("ids"));
      }
    }
  }

  @Test
  void tokenizeShowsTheOfficialTrainingRows() throws Exception {
    Path golden = SharedData.require("data/golden/text/train_rows_adgen_s64_t64.jsonl");
    List<String> lines = Files.readAllLines(golden);
    rows = hdfs.put(golden, "/adgen/golden.jsonl");
    try (Submission submission = submission("tokenize").arguments("--training-rows").run(LIMIT)) {
      List<String> out = new ArrayList<>(submission.outLines());
      assertThat(out).as(submission.err()).hasSize(lines.size() + 1);
      for (int i = 0; i < lines.size(); i++) {
        JsonObject expected = JsonParser.parseString(lines.get(i)).getAsJsonObject();
        JsonObject got = JsonParser.parseString(out.get(i)).getAsJsonObject();
        for (String column : List.of("input_ids", "labels")) {
          JsonArray ids = expected.getAsJsonArray(column);
          assertThat(got.getAsJsonArray(column)).as("%s of row %d", column, i).isEqualTo(ids);
        }
      }
    }
  }
}
