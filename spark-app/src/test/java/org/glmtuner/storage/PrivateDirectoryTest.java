package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.glmtuner.SmallDisk;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateDirectoryTest {
  @TempDir Path directory;

  private static void refused(ThrowingCallable action, String message) {
    assertThatThrownBy(action)
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(message);
  }

  @Test
  void makesWhatIsMissingAndTakesWhatIsThere() throws Exception {
    Path wanted = directory.resolve("a/b");
    assertThat(PrivateDirectory.provide(wanted)).isDirectory();
    assertThat(Files.getPosixFilePermissions(wanted))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    assertThat(PrivateDirectory.provide(wanted)).isEqualTo(wanted);
  }

  @Test
  void aFileInTheWayIsNamed() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    refused(
        () -> PrivateDirectory.provide(file.resolve("cache")),
        "Cannot use " + file + "/cache: " + file + " is no directory (cache.directory)");
    refused(
        () -> PrivateDirectory.provide(file.resolve("a/cache")),
        "Cannot use "
            + file
            + "/a/cache: it cannot be created: "
            + file
            + "/a: Not a directory (cache.directory)");
  }

  @Test
  void aDirectoryThatCannotBeWrittenToIsRefused() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20, "ro")) {
      refused(
          () -> PrivateDirectory.provide(disk.directory()),
          "Cannot use " + disk.directory() + ": this user cannot write to it (cache.directory)");
      refused(
          () -> PrivateDirectory.provide(disk.directory().resolve("cache")),
          "Cannot use "
              + disk.directory()
              + "/cache: it cannot be created: "
              + disk.directory()
              + "/cache: Read-only file system (cache.directory)");
    }
  }

  @Test
  void aDirectoryThatOthersCanWriteToIsRefused() throws Exception {
    Path shared = Files.createDirectory(directory.resolve("shared"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(() -> PrivateDirectory.provide(shared))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageStartingWith("Invalid cache.directory: " + shared);
  }
}
