package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.DataConfig;
import org.glmtuner.storage.HadoopSettings;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RowFilesTest {
  private static JavaSparkContext spark;

  @TempDir Path directory;

  @BeforeAll
  static void start() {
    spark =
        new JavaSparkContext(
            new SparkConf()
                .setMaster("local[1]")
                .setAppName("rows")
                .set("spark.ui.enabled", "false"));
  }

  @AfterAll
  static void stop() {
    spark.close();
  }

  private List<String> rows(String paths) throws IOException {
    DataConfig data =
        ConfigLoader.load("", "a test", Map.of("run.directory", "r", "data.train", paths)).data();
    return RowFiles.find(
            spark, HadoopSettings.of(new Configuration()), data, "data.train", data.train())
        .rows()
        .map(row -> new String(row.utf8(), StandardCharsets.UTF_8))
        .collect();
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }

  @Test
  void commasInBracesSeparateNoPaths() {
    assertThat(RowFiles.split("a/{0,1}.jsonl, b,{c,{d,e}}"))
        .containsExactly("a/{0,1}.jsonl", "b", "{c,{d,e}}");
    assertThat(RowFiles.split("a\\,b,c}d,e\\{,f")).containsExactly("a\\,b", "c}d", "e\\{", "f");
    assertThat(RowFiles.split("a,,")).containsExactly("a", "", "");
  }

  @Test
  void globsWithBracesAreRead() throws IOException {
    write("0", "{\"a\":0}\n");
    write("1", "{\"a\":1}\n");
    write("2", "{\"a\":2}\n");
    assertThat(rows(directory + "/{0,2}," + directory + "/1"))
        .containsExactly("{\"a\":0}", "{\"a\":2}", "{\"a\":1}");
  }

  @Test
  void emptyFilesAreNoneUnlessThereAreNoOthers() throws IOException {
    write("0", "");
    assertThatThrownBy(() -> rows(directory.toString()))
        .hasMessage("Cannot read " + directory + ": it has nothing but empty files (data.train)");
    write("1", "{\"a\":1}\n");
    write("2", "");
    assertThat(rows(directory.toString())).containsExactly("{\"a\":1}");
    assertThatThrownBy(() -> rows(directory + "/0"))
        .hasMessage("Cannot read " + directory + "/0: it is empty (data.train)");
  }
}
