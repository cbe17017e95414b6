package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryTest {
  @TempDir Path root;

  private Directory inside() throws IOException {
    Files.writeString(root.resolve("outside"), "precious");
    Files.createDirectories(root.resolve("inside/below"));
    Files.writeString(root.resolve("inside/file"), "text");
    Files.writeString(root.resolve("inside/below/file"), "precious");
    return Directory.ofArgument(root.resolve("inside").toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"../outside", "/outside", "below/file", "..", ".", ""})
  void everyMethodRefusesWhatIsNoPlainName(String name) throws IOException {
    Directory directory = inside();
    List<ThrowingCallable> calls =
        List.of(
            () -> directory.contains(name),
            () -> directory.hasChild(name),
            () -> directory.child(name),
            () -> directory.size(name),
            () -> directory.open(name).close(),
            () -> directory.readText(name),
            () -> directory.writeText(name, "new"),
            () -> directory.write(name).close(),
            () -> directory.openLog(name).close(),
            () -> directory.delete(name),
            () -> directory.rename(name, "new"),
            () -> directory.rename("file", name));
    for (ThrowingCallable call : calls) {
      assertThatThrownBy(call)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Invalid file name: " + name + " (a plain name)");
    }
    assertThat(root.resolve("outside")).hasContent("precious");
    assertThat(root.resolve("inside/below/file")).hasContent("precious");
    assertThat(directory.children()).containsExactly("below", "file");
  }

  @Test
  void plainNamesAreItsOwn() throws IOException {
    Directory directory = inside();
    directory.writeText(".hidden..name", "text");
    assertThat(directory.readText(".hidden..name")).contains("text");
    directory.rename("file", "other");
    assertThat(directory.names()).containsExactly(".hidden..name", "other");
  }
}
