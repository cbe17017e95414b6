package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
          assertThat(directory.sockets()).isDirectory();
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
      assertThat(first.sockets()).isDirectory().isNotEqualTo(second.sockets());
    }
  }
}
