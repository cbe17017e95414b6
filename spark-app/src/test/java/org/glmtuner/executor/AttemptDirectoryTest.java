package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.glmtuner.SmallDisk;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttemptDirectoryTest {
  private static final int TASKS = 8;

  @TempDir Path cache;

  /** What a killed executor leaves behind: an owner file that nobody locks. */
  private List<Path> abandoned(int count) throws Exception {
    List<Path> directories = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Path sockets = Files.createTempDirectory(Path.of("/tmp"), "glmt-");
      Files.createFile(sockets.resolve("owner"));
      Files.createDirectories(cache.resolve("attempts").resolve(sockets.getFileName()));
      directories.add(sockets);
    }
    return directories;
  }

  @Test
  void tasksOfOneExecutorMayStartAtOnceWhereAnotherOneWasKilled() throws Exception {
    List<Path> abandoned = abandoned(20);
    ExecutorService tasks = Executors.newFixedThreadPool(TASKS);
    try {
      Callable<AttemptDirectory> create = () -> AttemptDirectory.create(cache);
      List<Future<AttemptDirectory>> created = tasks.invokeAll(Collections.nCopies(TASKS, create));
      for (Future<AttemptDirectory> future : created) {
        try (AttemptDirectory directory = future.get()) {
          assertThat(directory.rankSocket().getParent()).isDirectory();
          assertThat(directory.files()).isDirectory();
        }
      }
    } finally {
      tasks.shutdownNow();
    }
    for (Path sockets : abandoned) {
      assertThat(sockets).doesNotExist();
      assertThat(cache.resolve("attempts").resolve(sockets.getFileName())).doesNotExist();
    }
  }

  @Test
  void aDirectoryInUseIsLeftAlone() throws Exception {
    try (AttemptDirectory first = AttemptDirectory.create(cache);
        AttemptDirectory second = AttemptDirectory.create(cache)) {
      assertThat(first.rankSocket().getParent())
          .isDirectory()
          .isNotEqualTo(second.rankSocket().getParent());
    }
  }

  private static void refused(ThrowingCallable action, String start, String end) {
    assertThatThrownBy(action)
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageStartingWith(start)
        .hasMessageEndingWith(end);
  }

  @Test
  void socketPathsAreShortEnoughForAnySocket() throws Exception {
    try (AttemptDirectory directory = AttemptDirectory.create(cache)) {
      for (Path socket : List.of(directory.rankSocket(), directory.pmiSocket())) {
        assertThat(socket.toString().length()).isLessThan(AttemptDirectory.MOST_BYTES / 2);
      }
    }
  }

  /** A new directory whose path has so many bytes. */
  private Path parent(int bytes) throws Exception {
    int missing = bytes - cache.toString().length() - 1;
    return Files.createDirectory(cache.resolve("x".repeat(missing)));
  }

  @Test
  void theLongestSocketPathThatIsTakenCanBeUsedALongerOneIsRefused() throws Exception {
    int own;
    try (AttemptDirectory directory = AttemptDirectory.create(cache)) {
      own = directory.rankSocket().toString().length() - "/tmp".length();
    }
    int longest = AttemptDirectory.MOST_BYTES - own;
    try (AttemptDirectory directory = AttemptDirectory.create(cache, parent(longest))) {
      for (Path socket : List.of(directory.rankSocket(), directory.pmiSocket())) {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
          server.bind(UnixDomainSocketAddress.of(socket));
          SocketChannel.open(UnixDomainSocketAddress.of(socket)).close();
        }
      }
    }
    Path parent = parent(longest + 1);
    refused(
        () -> AttemptDirectory.create(cache, parent),
        "Cannot use the socket " + parent + "/glmt-",
        "/rank: its path has 107 bytes, at most 106 are possible");
    assertThat(parent).isEmptyDirectory();
    assertThat(cache.resolve("attempts")).isEmptyDirectory();
  }

  @Test
  void whereNothingCanBeMadeIsNamed() throws Exception {
    Path none = cache.resolve("none");
    refused(
        () -> AttemptDirectory.create(cache, none),
        "Cannot make " + none + "/glmt-",
        ", where the sockets of a rank are to be: there is no such directory");
    Path file = Files.createFile(cache.resolve("file"));
    Path inTheWay = Files.createFile(Files.createDirectory(cache.resolve("c")).resolve("attempts"));
    refused(
        () -> AttemptDirectory.create(inTheWay.getParent()),
        "Cannot use " + inTheWay,
        ": " + inTheWay + " is no directory (cache.directory)");
    refused(() -> AttemptDirectory.create(file), "Cannot use " + file, " (cache.directory)");
  }

  @Test
  void whereFilesCannotBeMadeNoSocketDirectoryIsLeft() throws Exception {
    Path sockets = Files.createDirectory(cache.resolve("s"));
    try (SmallDisk disk = SmallDisk.mount(cache.resolve("attempts"), 1 << 20, "ro")) {
      refused(
          () -> AttemptDirectory.create(cache, sockets),
          "Cannot use " + disk.directory(),
          ": this user cannot write to it (cache.directory)");
    }
    try (SmallDisk disk = SmallDisk.mount(cache.resolve("d"), 1 << 20, "nr_inodes=2")) {
      refused( // one for the disk, one for attempts
          () -> AttemptDirectory.create(disk.directory(), sockets),
          "Cannot use " + disk.directory() + "/attempts/glmt-",
          "No space left on device (cache.directory)");
    }
    assertThat(sockets).isEmptyDirectory();
  }
}
