package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.planning.SampleSizes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredSamplesTest {
  private static final MessageType SCHEMA =
      MessageTypeParser.parseMessageType(
          "message rows { required int64 id;"
              + " required group input_ids (LIST) { repeated group list { required int32 element; } }"
              + " required group labels (LIST) { repeated group list { required int32 element; } } }");

  @TempDir Path run;

  private TunerConfig config() {
    return ConfigLoader.load("", "", Map.of("run.directory", run.toUri().toString()));
  }

  /** Of each length so many tokens, the last four of which have labels. */
  private void write(String name, int... lengths) throws IOException {
    Path file = run.resolve("samples/training/" + name);
    Files.createDirectories(file.getParent());
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
            .withType(SCHEMA)
            .build()) {
      for (int length : lengths) {
        SimpleGroup row = new SimpleGroup(SCHEMA);
        row.append("id", 0L);
        Group ids = row.addGroup("input_ids");
        Group labels = row.addGroup("labels");
        for (int i = 0; i < length; i++) {
          ids.addGroup("list").append("element", 7);
          labels.addGroup("list").append("element", i < length - 4 ? -100 : 7);
        }
        writer.write(row);
      }
    }
  }

  private void complete(int samples) throws IOException {
    Files.createDirectories(run.resolve("samples"));
    Files.writeString(
        run.resolve("samples/counts.json"),
        "{\"training\":" + samples + ",\"validation\":0,\"fingerprint\":\"f\"}\n");
  }

  @Test
  void meansAreThoseOfAllFiles() throws IOException {
    write("part-0.parquet", 10, 200);
    write("part-1.parquet", 30);
    Files.writeString(run.resolve("samples/training/_SUCCESS"), "");
    complete(3);
    SampleSizes sizes = StoredSamples.sizes(config()).orElseThrow();
    assertThat(sizes.tokens()).isEqualTo(80);
    assertThat(sizes.labelled()).isEqualTo(4);
    assertThat(sizes.longest()).isEqualTo(200);
    assertThat(sizes.count()).isEqualTo(OptionalLong.of(3));
    assertThat(sizes.origin()).startsWith("on average of 3 samples in ").endsWith("/samples");
  }

  @Test
  void samplesThatAreNotCompleteDoNotCount() throws IOException {
    write("part-0.parquet", 10);
    assertThat(StoredSamples.sizes(config())).isEmpty();
    assertThat(StoredSamples.sizes(ConfigLoader.load("", "", Map.of()))).isEmpty();
  }

  @Test
  void countedSamplesThatAreNotThereAreMissed() throws IOException {
    complete(3);
    assertThatThrownBy(() -> StoredSamples.sizes(config()))
        .hasMessageMatching("Cannot use .*/samples/training: it has no samples");
  }
}
