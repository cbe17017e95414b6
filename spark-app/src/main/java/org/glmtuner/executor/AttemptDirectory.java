package org.glmtuner.executor;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.FileFailures;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.storage.RandomNames;

/**
 * What one rank and its task share on disk: a directory in {@code /tmp} for sockets, whose paths
 * must be short, and one in the cache directory for files of any size. Both go with {@link #close};
 * those of a killed executor go when the next one on this host makes its own.
 */
final class AttemptDirectory implements AutoCloseable {
  private static final Path SOCKETS = Path.of("/tmp");
  private static final String RANK_SOCKET = "rank";
  private static final String PMI_SOCKET = "pmi";

  /** Of a socket's path: the kernel has room for 107, of which Java takes one less. */
  static final int MOST_BYTES = 106;

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

  /**
   * Makes both.
   *
   * @throws TunerException (exit code 3) where one cannot be made
   */
  static AttemptDirectory create(Path cacheDirectory) throws IOException {
    return create(cacheDirectory, SOCKETS);
  }

  /** As the other, with sockets below another directory. */
  static AttemptDirectory create(Path cacheDirectory, Path socketsParent) throws IOException {
    Path filesParent = PrivateDirectory.provideIn(cacheDirectory, "attempts");
    Path sockets = socketsParent.resolve(PREFIX + RandomNames.next());
    requireShort(sockets.resolve(RANK_SOCKET));
    requireShort(sockets.resolve(PMI_SOCKET));
    Path files = filesParent.resolve(sockets.getFileName());
    MINE.add(sockets);
    FileChannel owner = null;
    try {
      removeAbandoned(filesParent, socketsParent);
      PrivateDirectory.create(sockets);
      owner = own(sockets);
      PrivateDirectory.provideIn(filesParent, sockets.getFileName().toString());
      return new AttemptDirectory(sockets, files, owner);
    } catch (IOException e) {
      String reason = FileFailures.reason(e);
      throw removedAfter(
          new TunerException(
              ExitCode.UNSUITABLE,
              "Cannot make " + sockets + ", where the sockets of a rank are to be: " + reason,
              e),
          sockets,
          files,
          owner);
    } catch (TunerException e) {
      throw removedAfter(e, sockets, files, owner);
    }
  }

  /** The lock that says that a directory is in use; nobody finds its file before it is locked. */
  private static FileChannel own(Path sockets) throws IOException {
    Path unnamed = sockets.resolve("new-" + OWNER);
    FileChannel owner =
        FileChannel.open(unnamed, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    owner.lock();
    Files.move(unnamed, sockets.resolve(OWNER), StandardCopyOption.ATOMIC_MOVE);
    return owner;
  }

  private static TunerException removedAfter(
      TunerException failure, Path sockets, Path files, FileChannel owner) {
    try {
      remove(sockets, files, owner);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  private static void requireShort(Path socket) {
    int bytes = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MOST_BYTES) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          String.format(
              Locale.ROOT,
              "Cannot use the socket %s: its path has %d bytes, at most %d are possible",
              socket,
              bytes,
              MOST_BYTES));
    }
  }

  /** Where the rank finds its task. */
  Path rankSocket() {
    return sockets.resolve(RANK_SOCKET);
  }

  /** Where the rank's MPI library finds its peers. */
  Path pmiSocket() {
    return sockets.resolve(PMI_SOCKET);
  }

  /** For downloads and checkpoints. */
  Path files() {
    return files;
  }

  @Override
  public void close() throws IOException {
    remove(sockets, files, owner);
  }

  private static void remove(Path sockets, Path files, FileChannel owner) throws IOException {
    PrivateDirectory.deleteTree(files);
    PrivateDirectory.deleteTree(sockets);
    if (owner != null) {
      owner.close();
    }
    MINE.remove(sockets);
  }

  /** One thread at a time: a JVM must not ask for a lock that another of its threads holds. */
  private static synchronized void removeAbandoned(Path filesParent, Path socketsParent)
      throws IOException {
    Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    try (DirectoryStream<Path> candidates = Files.newDirectoryStream(socketsParent, PREFIX + "*")) {
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
