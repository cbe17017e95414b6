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

  /** Of a directory of user 1000. */
  private static void judge(int owner, int permissions, boolean writable) {
    PrivateDirectory.require(
        Path.of("/cache"),
        new PrivateDirectory.Access(owner, 1000, 0040000 | permissions, writable));
  }

  @Test
  void aDirectoryMustBeThisUsersAlone() {
    judge(1000, 0700, true);
    judge(1000, 0755, true);
    refused(
        () -> judge(0, 0755, false),
        "Cannot use /cache: this user cannot write to it (cache.directory)");
    refused(
        () -> judge(1001, 0700, false),
        "Cannot use /cache: this user cannot write to it (cache.directory)");
    for (int[] access :
        new int[][] {{1000, 0775}, {1000, 0702}, {0, 01777}, {1001, 0775}, {1001, 0755}}) {
      assertThatThrownBy(() -> judge(access[0], access[1], true))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
          .hasMessage(
              "Invalid cache.directory: /cache (it must be a directory that only its owner, user id 1000, can write; it belongs to %d with mode %o)"
                  .formatted(access[0], access[1]));
    }
  }

  @Test
  void aLinkIsCalledSo() throws Exception {
    Path target = Files.createDirectory(directory.resolve("target"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), target);
    assertThatThrownBy(() -> PrivateDirectory.provide(link))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessage(
            "Invalid cache.directory: "
                + link
                + " (it is a symbolic link; give the directory that it leads to)");
    Path file = Files.createFile(directory.resolve("file"));
    refused(
        () -> PrivateDirectory.provide(file),
        "Cannot use " + file + ": " + file + " is no directory (cache.directory)");
  }

  @Test
  void aDirectoryInOneIsMadeOrTaken() throws Exception {
    Path made = PrivateDirectory.provideIn(directory, "a");
    assertThat(Files.getPosixFilePermissions(made))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    assertThat(PrivateDirectory.provideIn(directory, "a")).isEqualTo(made);
    Path file = Files.createFile(directory.resolve("b"));
    refused(
        () -> PrivateDirectory.provideIn(directory, "b"),
        "Cannot use " + file + ": " + file + " is no directory (cache.directory)");
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("c"), 1 << 20, "ro")) {
      refused(
          () -> PrivateDirectory.provideIn(directory, "c"),
          "Cannot use " + disk.directory() + ": this user cannot write to it (cache.directory)");
    }
  }
}
