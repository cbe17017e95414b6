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
import java.util.Locale;
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

  /** Of {@code st_mode}. */
  private static final int TYPE = 0170000;

  private static final int DIRECTORY = 0040000;
  private static final int LINK = 0120000;

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
      require(directory, Access.of(directory));
      return directory;
    } catch (FileSystemException e) {
      throw notMade(directory, e);
    }
  }

  /**
   * A directory of that name in a private one, as it is or a new one.
   *
   * @throws TunerException (exit code 3) where this user can put nothing into it
   */
  public static Path provideIn(Path cacheDirectory, String name) throws IOException {
    Path directory = cacheDirectory.resolve(name);
    try {
      Files.createDirectories(directory, OWNER_ONLY);
    } catch (FileAlreadyExistsException e) {
      throw unusable(directory, e.getFile() + " is no directory", e);
    } catch (FileSystemException e) {
      throw notMade(directory, e);
    }
    requireWritable(directory, Files.isWritable(directory));
    return directory;
  }

  /**
   * What this process may do with a directory that is there.
   *
   * @param writable by this process, which a file system may forbid whatever the mode says
   */
  record Access(int owner, int user, int mode, boolean writable) {
    static Access of(Path directory) throws IOException {
      return new Access(
          attribute(directory, "unix:uid"),
          attribute(Path.of("/proc/self"), "unix:uid"),
          attribute(directory, "unix:mode"),
          Files.isWritable(directory));
    }

    private static int attribute(Path path, String name) throws IOException {
      return (Integer) Files.getAttribute(path, name, LinkOption.NOFOLLOW_LINKS);
    }
  }

  /**
   * Whether a directory can be this user's alone.
   *
   * @throws TunerException as {@link #provide}
   */
  static void require(Path directory, Access access) {
    int type = access.mode() & TYPE;
    if (type == LINK) {
      throw TunerException.invalid(
          "Invalid cache.directory: "
              + directory
              + " (it is a symbolic link; give the directory that it leads to)");
    } else if (type != DIRECTORY) {
      throw unusable(directory, directory + " is no directory", null);
    }
    requireWritable(directory, access.writable());
    if (access.owner() != access.user() || (access.mode() & 0022) != 0) {
      throw TunerException.invalid(
          String.format(
              Locale.ROOT,
              "Invalid cache.directory: %s (it must be a directory that only its owner, user id %s, can write; it belongs to %s with mode %o)",
              directory,
              access.user(),
              access.owner(),
              access.mode() & 07777));
    }
  }

  private static void requireWritable(Path directory, boolean writable) {
    if (!writable) {
      throw unusable(directory, "this user cannot write to it", null);
    }
  }

  private static TunerException notMade(Path directory, FileSystemException failure) {
    return unusable(
        directory,
        "it cannot be created: " + failure.getFile() + ": " + FileFailures.reason(failure),
        failure);
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
