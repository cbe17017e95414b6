package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.glmtuner.SmallDisk;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ClaimsFileTest {
  @TempDir Path directory;

  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("cpus.lock");
  }

  private static void refused(Path file, String reason) {
    assertThatThrownBy(() -> ClaimsFile.of(file))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage("Cannot use " + file + ": " + reason + " (ranks.claims)");
  }

  @Test
  void everyUserMayWriteToIt() throws Exception {
    ClaimsFile.of(file);
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-rw-rw-"));
    assertThat(directory).isDirectoryContaining(path -> path.equals(file));
    assertThat(directory.toFile().list()).as("nothing else").hasSize(1);
  }

  @Test
  void oneThatIsThereIsTakenAsItIs() throws Exception {
    Files.writeString(file, "content");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    ClaimsFile claims = ClaimsFile.of(file);
    assertThat(claims).isSameAs(ClaimsFile.of(file));
    assertThat(file).hasContent("content");
  }

  @Test
  void whoeverIsSlowerTakesTheFileOfTheFaster() throws Exception {
    ExecutorService makers = Executors.newFixedThreadPool(8);
    try {
      List<Future<Object>> made = new ArrayList<>();
      for (Future<Object> one :
          makers.invokeAll(Collections.nCopies(40, () -> ClaimsFile.identity(file)))) {
        made.add(one);
        assertThat(one.get()).isEqualTo(made.get(0).get());
      }
    } finally {
      makers.shutdownNow();
    }
    assertThat(directory.toFile().list()).as("nothing else").hasSize(1);
  }

  @Test
  void itLooksUsedAfterwards() throws Exception {
    ClaimsFile claims = ClaimsFile.of(file);
    for (int i = 0; i < 2; i++) {
      Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
      claims.touch();
      assertThat(Files.getLastModifiedTime(file).toInstant())
          .isAfter(Instant.now().minus(Duration.ofMinutes(1)));
    }
    assertThat(file).hasSize(1);
  }

  @Test
  void anotherFileInItsPlaceIsOpened() throws Exception {
    ClaimsFile before = ClaimsFile.of(file);
    Files.delete(file);
    ClaimsFile after = ClaimsFile.of(file);
    assertThat(after).isNotSameAs(before);
    assertThat(file).exists();
    after.touch();
    assertThat(file).hasSize(1);
  }

  @Test
  void whatIsNoRegularFileIsRefused() throws Exception {
    refused(directory, "it is no regular file");
    Path pipe = directory.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    refused(pipe, "it is no regular file");
    Path target = Files.createFile(directory.resolve("target"));
    refused(Files.createSymbolicLink(directory.resolve("link"), target), "it is a symbolic link");
    assertThat(target).isEmptyFile();
  }

  @Test
  void whereItCannotBeMadeOrWrittenToIsNamed() throws Exception {
    refused(directory.resolve("none/cpus.lock"), "there is no such directory");
    Path parent = Files.createFile(directory.resolve("parent"));
    refused(parent.resolve("cpus.lock"), "Not a directory");
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      Path there = Files.createFile(disk.directory().resolve("there"));
      disk.makeReadOnly();
      refused(there, "Read-only file system");
      refused(disk.directory().resolve("missing"), "Read-only file system");
    }
  }
}
