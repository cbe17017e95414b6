package org.glmtuner.executor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files in {@code /dev/shm} by which a rank's MPI library reaches its neighbours. A rank
 * removes their names once all ranks have mapped them; where it dies before that, its task does. A
 * dead process no longer says what it had mapped, so this is noted while it lives.
 */
final class SharedMemoryFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SharedMemoryFiles.class);
  private static final String DIRECTORY = "/dev/shm/";
  private static final String DELETED = " (deleted)";

  private final Path maps;
  private final Set<Path> noted = new TreeSet<>();
  private final Instant born = Instant.now();

  SharedMemoryFiles(long pid) {
    this.maps = Path.of("/proc/" + pid + "/maps");
  }

  /** Notes what the process has mapped now. */
  void note() {
    try {
      for (String line : Files.readString(maps, StandardCharsets.ISO_8859_1).split("\n", -1)) {
        int path = line.indexOf(DIRECTORY);
        if (path >= 0 && !line.endsWith(DELETED)) {
          noted.add(Path.of(line.substring(path)));
        }
      }
    } catch (IOException e) {
      LOG.debug("Cannot read {}: the process has ended", maps);
    }
  }

  /**
   * Removes the names that are left. The process must be dead, and with it its group. What it made
   * in its last moment was never noted: such files are told by their names, their owner and age,
   * and that no process has them.
   */
  void unlink() {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(Path.of(DIRECTORY), "{mpich,ucx,Intel_MPI}_*")) {
      Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      for (Path file : files) {
        if (Files.getAttribute(file, "unix:uid").equals(user)
            && Files.getLastModifiedTime(file).toInstant().isAfter(born)
            && !isUsed(file)) {
          noted.add(file);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("Cannot look for files of rank {}: {}", maps, e.getMessage()); // one has just gone
    }
    for (Path file : noted) {
      try {
        if (Files.deleteIfExists(file)) {
          LOG.info("Removed {}, which a rank has left", file);
        }
      } catch (IOException e) {
        LOG.warn("Cannot remove the shared memory file {}: {}", file, e.getMessage());
      }
    }
  }

  /** Whether a process has it mapped or open; who creates one has it open until it is mapped. */
  private static boolean isUsed(Path file) throws IOException {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        if (maps(process, file) || opens(process, file)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean maps(Path process, Path file) {
    try {
      return Files.readString(process.resolve("maps"), StandardCharsets.ISO_8859_1)
          .lines()
          .anyMatch(line -> line.endsWith(file.toString()));
    } catch (IOException e) {
      return false; // it has ended, or is another user's, who cannot use a file of ours
    }
  }

  private static boolean opens(Path process, Path file) {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        if (Files.readSymbolicLink(descriptor).equals(file)) {
          return true;
        }
      }
      return false;
    } catch (IOException | DirectoryIteratorException e) {
      return false; // as above
    }
  }
}
