package org.glmtuner.executor;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;

/**
 * The exclusive use of some CPUs among all ranks of this host, whoever started them, until {@link
 * #close}.
 *
 * <p>One file holds two lockable bytes for each CPU, so that claims of different sizes exclude each
 * other, which a lock for each CPU cluster would not: byte 2c for the task that uses CPU c, byte
 * 2c+1 for its rank, which may outlive the task by a moment. All hardware threads of a core are
 * claimed, whether used or not. The kernel releases both when their process dies. POSIX drops a
 * process's locks when it closes <em>any</em> channel of the file, hence one channel per JVM that
 * is never closed.
 */
final class CpuClaim implements AutoCloseable {
  private static final long POLL_MILLIS = 100;
  private static final Map<Path, Registry> REGISTRIES = new HashMap<>();

  private static final class Registry {
    final FileChannel channel;
    final Set<Integer> mine = new HashSet<>();

    Registry(Path file) throws IOException {
      Files.createDirectories(file.getParent());
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }
  }

  private final Registry registry;
  private final CpuGroup group;
  private final List<FileLock> locks;

  private CpuClaim(Registry registry, CpuGroup group, List<FileLock> locks) {
    this.registry = registry;
    this.group = group;
    this.locks = locks;
  }

  /** Where the locks of a host are. */
  static Path lockFile(Path cacheDirectory) {
    return cacheDirectory.resolve("cpus.lock");
  }

  /**
   * Claims the first free one of some groups of equal size.
   *
   * @throws TunerException (exit code 8) where none became free in time
   */
  static CpuClaim take(
      RankGroups candidates, Path cacheDirectory, Duration patience, TaskSignal signal)
      throws IOException, InterruptedException {
    List<CpuGroup> groups = candidates.groups();
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      for (CpuGroup group : groups) {
        CpuClaim claim = tryTake(group, cacheDirectory);
        if (claim != null) {
          return claim;
        }
      }
      if (System.nanoTime() > end) {
        throw new TunerException(
            ExitCode.NO_FREE_SLOTS,
            "Cannot start a rank: all "
                + groups.size()
                + " groups of "
                + candidates.cores()
                + " cores are in use by other ranks, waited "
                + patience.toSeconds()
                + " s (ranks.wait)");
      }
      signal.check();
      Thread.sleep(POLL_MILLIS);
    }
  }

  private static CpuClaim tryTake(CpuGroup group, Path cacheDirectory) throws IOException {
    synchronized (REGISTRIES) {
      Path file = lockFile(cacheDirectory).toAbsolutePath().normalize();
      Registry registry = REGISTRIES.get(file);
      if (registry == null) {
        registry = new Registry(file);
        REGISTRIES.put(file, registry);
      }
      List<FileLock> locks = new ArrayList<>();
      CpuClaim claim = new CpuClaim(registry, group, locks);
      for (int cpu : group.claimed()) {
        if (!registry.mine.add(cpu)) {
          claim.releaseLocked();
          return null;
        }
        FileLock task = registry.channel.tryLock(2L * cpu, 1, false);
        FileLock rank = task == null ? null : registry.channel.tryLock(2L * cpu + 1, 1, false);
        if (rank == null) {
          if (task != null) {
            task.release();
          }
          registry.mine.remove(cpu);
          claim.releaseLocked();
          return null;
        }
        rank.release(); // only asked whether an older rank still has it; our rank will take it
        locks.add(task);
      }
      return claim;
    }
  }

  /** The CPUs, and where they are. */
  CpuGroup group() {
    return group;
  }

  @Override
  public void close() throws IOException {
    synchronized (REGISTRIES) {
      releaseLocked();
    }
  }

  /**
   * Locks are taken in the order of the group's CPUs, so the first {@code locks.size()} are ours.
   */
  private void releaseLocked() throws IOException {
    for (int i = 0; i < locks.size(); i++) {
      locks.get(i).release();
      registry.mine.remove(group.claimed().get(i));
    }
    locks.clear();
  }
}
