package org.glmtuner.storage;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Mutual exclusion between all threads and processes of this host that name the same file. The
 * operating system gives the lock back when a process ends, however it ends.
 *
 * <p>The file is created and stays: removing it would let two processes lock two files of one name.
 */
public final class HostLock implements AutoCloseable {
  /**
   * An operating system's lock belongs to the process and is lost as soon as any channel on the
   * file is closed in it, so that at most one may be open at a time in this one.
   */
  private static final ConcurrentMap<Path, Semaphore> IN_THIS_PROCESS = new ConcurrentHashMap<>();

  private static final long POLL_MILLIS = 100;

  private final FileChannel channel;
  private final Semaphore permit;

  private HostLock(FileChannel channel, Semaphore permit) {
    this.channel = channel;
    this.permit = permit;
  }

  /**
   * Waits for the lock.
   *
   * @param waiting called again and again while another has it; what it throws ends the waiting
   */
  public static HostLock acquire(Path file, Runnable waiting)
      throws IOException, InterruptedException {
    Path directory = Files.createDirectories(file.toAbsolutePath().getParent());
    Path key = directory.toRealPath().resolve(file.getFileName());
    Semaphore permit = IN_THIS_PROCESS.computeIfAbsent(key, k -> new Semaphore(1));
    while (!permit.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
      waiting.run();
    }
    FileChannel channel = null;
    try {
      channel = FileChannel.open(key, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      while (channel.tryLock() == null) {
        waiting.run();
        Thread.sleep(POLL_MILLIS);
      }
      return new HostLock(channel, permit);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      try {
        if (channel != null) {
          channel.close();
        }
      } catch (IOException closing) {
        e.addSuppressed(closing);
      } finally {
        permit.release();
      }
      throw e;
    }
  }

  /** Gives the lock back; a second call has no effect. */
  @Override
  public void close() throws IOException {
    if (channel.isOpen()) {
      try {
        channel.close();
      } finally {
        permit.release();
      }
    }
  }
}
