package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Ranks, sockets and shared memory that a run with its own cache directory may leave behind. */
public final class Leftovers {
  private final String cacheDirectory;
  private final Set<String> sharedMemoryBefore;

  private Leftovers(String cacheDirectory, Set<String> sharedMemoryBefore) {
    this.cacheDirectory = cacheDirectory;
    this.sharedMemoryBefore = sharedMemoryBefore;
  }

  /** Looks at the host as it is before a run with that {@code cache.directory}. */
  public static Leftovers watch(Path cacheDirectory) throws IOException {
    return new Leftovers(cacheDirectory.toString(), names(Path.of("/dev/shm")));
  }

  /** Rank processes of the run, by what their command line says of its cache directory. */
  public List<ProcessHandle> ranks() {
    return ProcessHandle.allProcesses().filter(process -> isRank(process.pid())).toList();
  }

  private boolean isRank(long pid) {
    try {
      String[] arguments =
          Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.UTF_8)
              .split("\0", -1);
      List<String> list = Arrays.asList(arguments);
      return list.contains("org.glmtuner.rank.RankMain")
          && list.stream().anyMatch(argument -> argument.startsWith(cacheDirectory));
    } catch (IOException e) {
      return false; // it has just ended
    }
  }

  /** Fails unless all ranks are gone within the time, and nothing of theirs is in /dev/shm. */
  public void assertNone(Duration within) throws IOException {
    await().pollDelay(Duration.ZERO).atMost(within).until(() -> ranks().isEmpty());
    assertNone();
  }

  /** Fails unless all ranks are gone now, and nothing of theirs is in /dev/shm. */
  public void assertNone() throws IOException {
    assertThat(ranks()).as("rank processes").isEmpty();
    assertThat(sharedMemory()).as("/dev/shm").isEmpty();
  }

  /** What is in /dev/shm now and was not before. */
  public Set<String> sharedMemory() throws IOException {
    Set<String> names = names(Path.of("/dev/shm"));
    names.removeAll(sharedMemoryBefore);
    return names;
  }

  private static Set<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }
}
