package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What the descriptors of a process stand for. */
final class OpenFiles {
  private OpenFiles() {}

  /**
   * Paths, and such as {@code socket:[4711]}.
   *
   * @param process its directory in {@code /proc}
   */
  static Set<String> of(Path process) throws IOException {
    Set<String> open = new TreeSet<>();
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        target(descriptor).ifPresent(open::add);
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return open;
  }

  private static Optional<String> target(Path descriptor) throws IOException {
    try {
      return Optional.of(Files.readSymbolicLink(descriptor).toString());
    } catch (NoSuchFileException e) {
      return Optional.empty(); // it has just been closed
    }
  }
}
