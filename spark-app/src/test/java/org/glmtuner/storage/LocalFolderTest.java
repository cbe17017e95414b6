package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalFolderTest {
  @TempDir Path directory;

  @BeforeEach
  void fill() throws IOException {
    Files.writeString(directory.resolve("b"), "12345");
    Files.writeString(directory.resolve("a"), "1");
    Files.createDirectory(directory.resolve("c"));
  }

  @Test
  void listsAndReadsPlainFiles() throws IOException {
    LocalFolder folder = new LocalFolder(directory.resolve("c/.."));
    assertThat(folder.location()).isEqualTo(directory.toString());
    assertThat(folder.names()).containsExactly("a", "b");
    assertThat(folder.contains("a")).isTrue();
    assertThat(folder.contains("c")).isFalse();
    assertThat(folder.size("b")).isEqualTo(5);
    assertThat(folder.readAll("b", 5)).containsExactly('1', '2', '3', '4', '5');
  }

  @Test
  void refusesToReadAllOfAMissingOrLargeFile() {
    LocalFolder folder = new LocalFolder(directory);
    assertThatThrownBy(() -> folder.readAll("b", 4))
        .hasMessage("Cannot read %s/b: it has 5 bytes (at most 4)", directory);
    assertThatThrownBy(() -> folder.readAll("d", 4))
        .hasMessage("Cannot read %s/d: there is no such file", directory);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "c/d", "../a", "c/", "/etc/hostname"})
  void refusesNamesThatLeaveIt(String name) {
    LocalFolder folder = new LocalFolder(directory);
    assertThatThrownBy(() -> folder.contains(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Invalid file name: " + name + " (a plain name)");
  }
}
