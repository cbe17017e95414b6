package org.glmtuner.executor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

  /** Removes the names that are left. The process must be dead, and with it its group. */
  void unlink() {
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
}
