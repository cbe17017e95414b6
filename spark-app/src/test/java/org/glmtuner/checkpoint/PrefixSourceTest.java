package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.storage.HadoopSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrefixSourceTest {
  private final HadoopSettings settings = HadoopSettings.of(new Configuration());

  @TempDir Path directory;

  private PrefixSource source(String path) throws IOException {
    return PrefixSource.of(path, settings);
  }

  @Test
  void aDirectoryGivesOurFileBeforeAnOfficialOne() throws IOException {
    Files.createFile(directory.resolve("model.safetensors"));
    assertThat(source(directory.toString()).file()).isEqualTo("model.safetensors");
    Files.createFile(directory.resolve("pytorch_model.bin"));
    assertThat(source(directory.toString()).file()).isEqualTo("pytorch_model.bin");
    Files.createFile(directory.resolve("prefix.safetensors"));
    assertThat(source(directory.toString()).file()).isEqualTo("prefix.safetensors");
  }

  @Test
  void aFileIsItself() throws IOException {
    PrefixSource source = source(directory + "/my-prefix.safetensors");
    assertThat(source.file()).isEqualTo("my-prefix.safetensors");
    assertThat(source.directory().location()).isEqualTo("file:" + directory);
    assertThat(source("other.bin").directory().location())
        .isEqualTo("file:" + Path.of("").toAbsolutePath());
    assertThat(source("/other.bin").directory().location()).isEqualTo("file:/");
  }

  @Test
  void aDirectoryWithoutAPrefixIsRefused() {
    assertThatThrownBy(() -> source(directory.toString()))
        .hasMessageEndingWith("it has neither prefix.safetensors nor pytorch_model.bin");
  }
}
