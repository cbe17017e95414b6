package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations from HDFS: the same samples whatever they are stored as. */
class DataFormatsIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Gson GSON = new Gson();
  private static final int ROWS = 60;
  private static final MessageType SCHEMA =
      MessageTypeParser.parseMessageType(
          """
          message rows {
            optional binary prompt (STRING);
            optional binary response (STRING);
            optional group history (LIST) { repeated group list { optional group element (LIST) {
              repeated group list { optional binary element (STRING); } } } }
          }
          """);

  private record Row(String prompt, String response, List<List<String>> history) {}

  @TempDir static Path directory;
  private static HdfsProcess hdfs;
  private static String model;

  @BeforeAll
  static void startHdfs() throws IOException {
    hdfs = HdfsProcess.start(directory.resolve("hdfs"));
    model = hdfs.put(Checkout.module().resolve("src/sample/tiny-chatglm"), "/model");
  }

  @AfterAll
  static void stopHdfs() throws IOException {
    hdfs.close();
  }

  private static Submission.Builder submission(String command, String rows) {
    return Submission.of(directory, command)
        .hdfs(hdfs)
        .arguments("--conf", "spark.ui.enabled=false")
        .set("model.path", model)
        .set("data.train", rows)
        .set("data.max-source-length", 40)
        .set("data.max-target-length", 24)
        .cache(directory.resolve("cache"));
  }

  /** Conversations of no to two turns, with what CSV has to quote; the last answer is empty. */
  private static List<Row> conversations() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      List<List<String>> history = new ArrayList<>();
      for (int turn = 0; turn < i % 3; turn++) {
        history.add(List.of("裤" + turn + ", \"" + i + "\"", "宽松\n" + turn));
      }
      String response = i == ROWS - 1 ? "" : "shirt, \"blue\"\n\n" + i;
      rows.add(new Row("类型#上衣*" + i, response, history));
    }
    return rows;
  }

  private static Path json(List<Row> rows) throws IOException {
    return Files.write(directory.resolve("rows.jsonl"), rows.stream().map(GSON::toJson).toList());
  }

  private static Path csv(List<Row> rows) throws IOException {
    StringBuilder text = new StringBuilder("response,history,prompt\r\n");
    for (Row row : rows) {
      String history = row.history().isEmpty() ? "" : GSON.toJson(row.history());
      text.append(quoted(row.response()))
          .append(',')
          .append(quoted(history))
          .append(',')
          .append(row.prompt())
          .append("\r\n");
    }
    return Files.writeString(directory.resolve("rows.csv"), text);
  }

  private static String quoted(String field) {
    return '"' + field.replace("\"", "\"\"") + '"';
  }

  /** As pandas and Spark write it: compressed by Snappy, conversations as lists of lists. */
  private static Path parquet(List<Row> rows) throws IOException {
    Path file = directory.resolve("rows.parquet");
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
            .withType(SCHEMA)
            .withCompressionCodec(CompressionCodecName.SNAPPY)
            .withRowGroupSize(1000L)
            .withMinRowCountForPageSizeCheck(1)
            .build()) {
      for (Row row : rows) {
        Group group = new SimpleGroup(SCHEMA);
        group.append("prompt", row.prompt()).append("response", row.response());
        Group turns = group.addGroup("history");
        for (List<String> turn : row.history()) {
          Group pair = turns.addGroup("list").addGroup("element");
          turn.forEach(text -> pair.addGroup("list").append("element", text));
        }
        writer.write(group);
      }
    }
    return file;
  }

  @Test
  void csvAndParquetGiveTheSamplesOfJson() throws Exception {
    List<String> files = new ArrayList<>();
    List<Row> rows = conversations();
    for (Path file : List.of(json(rows), csv(rows), parquet(rows))) {
      files.add(hdfs.put(file, "/" + file.getFileName()));
    }
    try (Submission submission =
        submission("tokenize", String.join(",", files))
            .arguments("--training-rows")
            .set("data.history-column", "history")
            .run(LIMIT)) {
      int samples = ROWS - 1; // of each file: one answer is empty
      List<String> lines = submission.outLines();
      assertThat(lines).as(submission.err()).hasSize(3 * samples + 1);
      List<String> ofJson = lines.subList(0, samples);
      assertThat(lines.subList(samples, 2 * samples)).as("CSV").isEqualTo(ofJson);
      assertThat(lines.subList(2 * samples, 3 * samples)).as("Parquet").isEqualTo(ofJson);
      assertThat(ofJson).doesNotHaveDuplicates();
    }
  }

  @Test
  void trainsOnTheGoodRowsOfACsvFileAndListsTheOthers() throws Exception {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    text.writeBytes("prompt,response\n".getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < 8; i++) {
      text.writeBytes(("裤" + i + ",\"宽\n松\"\n").getBytes(StandardCharsets.UTF_8));
    }
    text.writeBytes("裤\n裤,\nlong,".getBytes(StandardCharsets.UTF_8));
    text.writeBytes("long and longer ".repeat(9).getBytes(StandardCharsets.UTF_8));
    text.writeBytes("\n\u00e9,x\n".getBytes(StandardCharsets.ISO_8859_1));
    String csv =
        hdfs.put(Files.write(directory.resolve("bad.csv"), text.toByteArray()), "/bad.csv");
    try (Submission submission =
        submission("train", csv)
            .set("run.directory", hdfs.uri() + "/runs/csv")
            .set("data.max-rejected-share", 0.2)
            .set("prefix.length", 4)
            .set("training.max-steps", 2)
            .set("training.global-batch", 4)
            .set("ranks.count", 1)
            .set("ranks.cores", 1)
            .run(LIMIT)) {
      assertThat(submission.result().get("status").getAsString())
          .as(submission.err())
          .isEqualTo("finished");
      assertThat(submission.err())
          .containsPattern(
              "data\\.train: 9 samples, 2 malformed rows, 1 empty ones;"
                  + " 1 responses lose \\d+\\.0 tokens each \\(data\\.max-target-length\\)");
      List<String> rejected =
          hdfs.directory("/runs/csv/rejected")
              .readText("training.jsonl")
              .orElseThrow()
              .lines()
              .toList();
      assertThat(rejected)
          .containsExactly(
              rejected(csv, 18, "it has 1 fields, the header has 2"),
              rejected(csv, 21, "its column prompt is not UTF-8"),
              rejected(csv, 19, "its column response is empty"));
    }
  }

  private static String rejected(String file, int row, String reason) {
    JsonObject line = new JsonObject();
    line.addProperty("file", file);
    line.addProperty("row", row);
    line.addProperty("reason", reason);
    return line.toString();
  }
}
