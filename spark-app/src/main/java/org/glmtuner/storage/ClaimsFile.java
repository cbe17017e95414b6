package org.glmtuner.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * The file of {@code ranks.claims}, in which tasks and ranks of this host, whoever started them,
 * lock bytes for the CPUs that they use: byte 2c the task that uses CPU c, byte 2c+1 its rank,
 * which may outlive the task by a moment. The kernel releases both when their process dies. Every
 * user of the host may write to the file, and nobody reads it.
 *
 * <p>POSIX drops a process's locks when it closes <em>any</em> channel of the file, and a channel
 * that nobody refers to is closed by the garbage collector: hence one channel in each process that
 * is kept and never closed.
 *
 * <p>What cannot be done is a {@link TunerException} with exit code 3.
 */
public final class ClaimsFile {
  private static final Map<Object, ClaimsFile> OPEN = new HashMap<>(); // by device and inode

  private final Path file;
  private final FileChannel channel;

  private ClaimsFile(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** The file as it is, or a new one in a directory that must exist. */
  public static synchronized ClaimsFile of(Path file) {
    try {
      while (true) {
        Object identity = identity(file);
        ClaimsFile open = OPEN.get(identity);
        if (open != null) {
          return open;
        }
        // CREATE would be refused for other users' files in directories such as /var/tmp.
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        if (identity.equals(identity(file))) {
          ClaimsFile claims = new ClaimsFile(file, channel);
          OPEN.put(identity, claims);
          return claims;
        }
        channel.close(); // somebody has just replaced it
      }
    } catch (IOException e) {
      throw unusable(file, FileFailures.reason(e), e);
    }
  }

  /** Which file a path leads to now, after making it if there is none. */
  static Object identity(Path file) throws IOException {
    try {
      BasicFileAttributes found =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (!found.isRegularFile()) {
        throw unusable(
            file, found.isSymbolicLink() ? "it is a symbolic link" : "it is no regular file", null);
      }
      return found.fileKey();
    } catch (NoSuchFileException e) {
      make(file);
      return identity(file);
    }
  }

  /** It appears with its permissions, lest another user finds it before it may write to it. */
  private static void make(Path file) throws IOException {
    Path unnamed = file.resolveSibling("." + file.getFileName() + "-" + RandomNames.next());
    try {
      Files.createFile(unnamed);
      Files.setPosixFilePermissions( // an umask leaves out what is asked for at the creation
          unnamed, PosixFilePermissions.fromString("rw-rw-rw-"));
      Files.createLink(file, unnamed);
    } catch (FileAlreadyExistsException e) {
      // another process was faster
    } finally {
      Files.deleteIfExists(unnamed);
    }
  }

  /**
   * Locks a CPU for the calling task; null if another process has it. Within this process the
   * caller must know what it has.
   */
  public FileLock tryLockForTask(int cpu) {
    return tryLock(2L * cpu);
  }

  /** Locks a CPU for a rank; null if another process has it. */
  public FileLock tryLockForRank(int cpu) {
    return tryLock(2L * cpu + 1);
  }

  private FileLock tryLock(long position) {
    try {
      return channel.tryLock(position, 1, false);
    } catch (IOException e) {
      throw unusable(file, FileFailures.reason(e), e);
    }
  }

  /** Makes the file look used to what removes old files from directories such as /var/tmp. */
  public void touch() {
    try {
      channel.write(ByteBuffer.allocate(1), 0); // times are set by the owner only
    } catch (IOException e) {
      throw unusable(file, FileFailures.reason(e), e);
    }
  }

  private static TunerException unusable(Path file, String reason, IOException cause) {
    return new TunerException(
        ExitCode.UNSUITABLE, "Cannot use " + file + ": " + reason + " (ranks.claims)", cause);
  }
}
