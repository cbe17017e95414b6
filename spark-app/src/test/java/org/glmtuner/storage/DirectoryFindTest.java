package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryFindTest {
  private static final HadoopSettings LOCAL = HadoopSettings.of(new Configuration());

  @TempDir Path directory;

  private void write(String... names) throws IOException {
    for (String name : names) {
      Path file = directory.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, "{}\n");
    }
  }

  private List<String> find(String path) throws IOException {
    return Directory.find(directory + path, "data.train", LOCAL).stream()
        .map(file -> file.directory().locate(file.name()))
        .map(location -> location.substring(location.indexOf(directory.toString())))
        .map(location -> location.substring(directory.toString().length()))
        .toList();
  }

  @Test
  void findsFilesOfDirectoriesAndGlobsButHiddenOnes() throws IOException {
    write("a/1", "a/2", "a/_SUCCESS", "a/.x", "b/1", "_temporary/1");
    assertThat(find("/a/2")).containsExactly("/a/2");
    assertThat(find("/a/_SUCCESS")).as("named").containsExactly("/a/_SUCCESS");
    assertThat(find("/a")).containsExactly("/a/1", "/a/2");
    assertThat(find("/a/*")).containsExactly("/a/1", "/a/2");
    assertThat(find("/*")).containsExactly("/a/1", "/a/2", "/b/1");
    assertThat(find("/{a,b}/1")).containsExactly("/a/1", "/b/1");
    assertThat(find("/nowhere")).isEmpty();
  }

  @Test
  void aDirectoryInTheDirectoryIsRefusedByNameInsteadOfLeftOut() throws IOException {
    write("rows/1", "rows/date=2/1", "rows/_temporary/1");
    assertThatThrownBy(() -> find("/rows"))
        .hasMessageStartingWith("Invalid data.train: file:" + directory + "/rows (it holds the")
        .hasMessageContaining("directory date=2; ")
        .hasMessageEndingWith("/rows/* names files of such too)")
        .extracting(e -> ((TunerException) e).exitCode())
        .isEqualTo(ExitCode.INVALID);
    assertThat(find("/rows/*")).containsExactly("/rows/1", "/rows/date=2/1");
  }

  @Test
  void aBadGlobIsRefusedWithItsKey() throws IOException {
    write("x");
    for (String glob : List.of("/[x", "/{x,y", "/[x/y")) {
      assertThatThrownBy(() -> find(glob))
          .hasMessageStartingWith("Invalid data.train: " + directory + glob + " (Illegal file")
          .extracting(e -> ((TunerException) e).exitCode())
          .isEqualTo(ExitCode.INVALID);
    }
  }
}
