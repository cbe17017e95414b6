package org.glmtuner.storage;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Directories that nobody but this user can enter: libraries are loaded from them and sockets are
 * in them.
 */
public final class PrivateDirectory {
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private PrivateDirectory() {}

  /** A new directory; its parent must exist. */
  public static Path create(Path directory) throws IOException {
    return Files.createDirectory(directory, OWNER_ONLY);
  }

  /**
   * The directory as it is, or a new one.
   *
   * @throws TunerException with exit code 2 where somebody else could have put something into it, 3
   *     where this user can put nothing into it
   */
  public static Path provide(Path directory) throws IOException {
    try {
      if (directory.getParent() != null) {
        Files.createDirectories(directory.getParent());
      }
      return create(directory);
    } catch (FileAlreadyExistsException e) {
      if (!e.getFile().equals(directory.toString())) {
        throw unusable(directory, e.getFile() + " is no directory", e);
      }
      Object owner = Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
      Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      int mode = (Integer) Files.getAttribute(directory, "unix:mode", LinkOption.NOFOLLOW_LINKS);
      if (!owner.equals(user)
          || (mode & 0022) != 0
          || !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
        throw TunerException.invalid(
            String.format(
                "Invalid cache.directory: %s (it must be a directory that only its owner, user id %s, can write; it belongs to %s with mode %o)",
                directory, user, owner, mode & 07777));
      }
      if (!Files.isWritable(directory)) { // a file system that is read-only, too
        throw unusable(directory, "this user cannot write to it", e);
      }
      return directory;
    } catch (FileSystemException e) {
      String reason = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
      throw unusable(directory, "it cannot be created: " + e.getFile() + ": " + reason, e);
    }
  }

  private static TunerException unusable(Path directory, String reason, IOException cause) {
    return new TunerException(
        ExitCode.UNSUITABLE,
        "Cannot use " + directory + ": " + reason + " (cache.directory)",
        cause);
  }

  /**
   * Removes a directory and all below it; nothing happens where there is none. Links are removed,
   * not followed.
   */
  public static void deleteTree(Path directory) throws IOException {
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException failure)
                throws IOException {
              Files.deleteIfExists(visited);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (NoSuchFileException e) {
      // already gone
    }
  }
}
