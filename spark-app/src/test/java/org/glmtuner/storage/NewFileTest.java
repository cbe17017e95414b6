package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NewFileTest {
  @TempDir Path directory;

  private static void write(NewFile file, String text) throws IOException {
    file.stream().write(text.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "file:"})
  void appearsWhenItIsComplete(String scheme) throws IOException {
    Path target = directory.resolve("new/file");
    try (NewFile file = NewFile.begin(scheme + target)) {
      write(file, "text");
      assertThat(target).doesNotExist();
      file.commit();
      assertThat(target).hasContent("text");
    }
    assertThat(target).hasContent("text");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "file:"})
  void changesNothingWhereItIsNotCompleted(String scheme) throws IOException {
    Path target = Files.writeString(directory.resolve("file"), "old");
    try (NewFile file = NewFile.begin(scheme + target)) {
      write(file, "part");
    }
    assertThat(target).hasContent("old");
    try (NewFile file = NewFile.begin(scheme + target)) {
      write(file, "new");
      file.commit();
    }
    assertThat(target).hasContent("new");
    assertThat(directory.resolve(".file.tmp")).doesNotExist();
  }

  @Test
  void aPipeIsWrittenAndNotReplaced() throws IOException {
    try (NewFile file = NewFile.begin("/dev/null")) {
      write(file, "text");
      file.commit();
    }
    assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
  }

  @Test
  void aPlaceThatCannotBeIsNamed() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "no directory");
    assertThatThrownBy(() -> NewFile.begin(file.resolve("below").toString()))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining("Cannot write " + file.resolve("below"));
  }

  @Test
  void aNameWithAColonIsNoUri() throws IOException {
    Path file = Files.writeString(directory.resolve("rows-T10:00:00.jsonl"), "text");
    assertThat(TextFile.read(file.toString())).isEqualTo("text");
    assertThat(TextFile.isLocal("T10:00.jsonl")).isTrue();
    assertThat(TextFile.isLocal("hdfs://namenode/rows")).isFalse();
    assertThat(TextFile.isLocal("file:/rows")).isFalse();
  }
}
