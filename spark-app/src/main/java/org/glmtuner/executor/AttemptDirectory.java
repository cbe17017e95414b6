package org.glmtuner.executor;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.storage.RandomNames;

/**
 * What one rank and its task share on disk: a directory in {@code /tmp} for sockets, whose path
 * must stay below 107 bytes, and one in the cache directory for files of any size. Both go with
 * {@link #close}; those of a killed executor go when the next one on this host makes its own.
 */
final class AttemptDirectory implements AutoCloseable {
  private static final Path SOCKETS = Path.of("/tmp");
  private static final String PREFIX = "glmt-";
  private static final String OWNER = "owner";

  /** Those of this JVM: probing the lock of one of them would drop it. */
  private static final Set<Path> MINE = ConcurrentHashMap.newKeySet();

  private final Path sockets;
  private final Path files;
  private final FileChannel owner;

  private AttemptDirectory(Path sockets, Path files, FileChannel owner) {
    this.sockets = sockets;
    this.files = files;
    this.owner = owner;
  }

  static AttemptDirectory create(Path cacheDirectory) throws IOException {
    Path parent = Files.createDirectories(cacheDirectory.resolve("attempts"));
    removeAbandoned(parent);
    Path sockets = SOCKETS.resolve(PREFIX + RandomNames.next());
    MINE.add(sockets);
    PrivateDirectory.create(sockets);
    FileChannel owner =
        FileChannel.open(
            sockets.resolve(OWNER), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    owner.lock();
    Path files = PrivateDirectory.create(parent.resolve(sockets.getFileName()));
    return new AttemptDirectory(sockets, files, owner);
  }

  /** Where the rank's socket and the PMI socket are. */
  Path sockets() {
    return sockets;
  }

  /** For downloads and checkpoints. */
  Path files() {
    return files;
  }

  @Override
  public void close() throws IOException {
    PrivateDirectory.deleteTree(files);
    PrivateDirectory.deleteTree(sockets);
    owner.close();
    MINE.remove(sockets);
  }

  /** One thread at a time: a JVM must not ask for a lock that another of its threads holds. */
  private static synchronized void removeAbandoned(Path filesParent) throws IOException {
    Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    try (DirectoryStream<Path> candidates = Files.newDirectoryStream(SOCKETS, PREFIX + "*")) {
      for (Path candidate : candidates) {
        try {
          if (!MINE.contains(candidate)
              && Files.getAttribute(candidate, "unix:uid").equals(user)
              && isAbandoned(candidate)) {
            PrivateDirectory.deleteTree(filesParent.resolve(candidate.getFileName()));
            PrivateDirectory.deleteTree(candidate);
          }
        } catch (IOException e) {
          // its owner removes it at this moment
        }
      }
    }
  }

  /** A directory that has no owner file yet is being made. */
  private static boolean isAbandoned(Path directory) throws IOException {
    Path owner = directory.resolve(OWNER);
    if (!Files.exists(owner)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(owner, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock != null;
    }
  }
}
