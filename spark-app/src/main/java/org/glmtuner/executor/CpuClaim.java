package org.glmtuner.executor;

import java.io.IOException;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.ClaimsFile;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;

/**
 * The exclusive use of some CPUs among all ranks of this host, whoever started them, until {@link
 * #close}.
 *
 * <p>One {@link ClaimsFile} holds two lockable bytes for each CPU, so that claims of different
 * sizes exclude each other, which a lock for each CPU cluster would not. All hardware threads of a
 * core are claimed, whether used or not.
 */
final class CpuClaim implements AutoCloseable {
  private static final long POLL_MILLIS = 100;

  /** The CPUs that tasks of this process have: locks do not exclude those of one process. */
  private static final Set<Integer> MINE = new HashSet<>();

  private final CpuGroup group;
  private final Map<Integer, FileLock> locks = new HashMap<>();

  private CpuClaim(CpuGroup group) {
    this.group = group;
  }

  /**
   * Claims the first free one of some groups of equal size.
   *
   * @param claims {@code ranks.claims}
   * @throws TunerException with exit code 8 where none became free in time, 3 where the file cannot
   *     be used
   */
  static CpuClaim take(RankGroups candidates, Path claims, Duration patience, TaskSignal signal)
      throws IOException, InterruptedException {
    List<CpuGroup> groups = candidates.groups();
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      for (CpuGroup group : groups) {
        CpuClaim claim = new CpuClaim(group);
        if (claim.tryTake(ClaimsFile.of(claims))) {
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

  /** All of the group's CPUs, or none. */
  private boolean tryTake(ClaimsFile file) throws IOException {
    synchronized (MINE) {
      boolean taken = false;
      try {
        taken = lockAll(file);
        return taken;
      } finally {
        if (!taken) {
          release();
        }
      }
    }
  }

  private boolean lockAll(ClaimsFile file) throws IOException {
    for (int cpu : group.claimed()) {
      FileLock task = MINE.contains(cpu) ? null : file.tryLockForTask(cpu);
      if (task == null) {
        return false;
      }
      MINE.add(cpu);
      locks.put(cpu, task);
      FileLock rank = file.tryLockForRank(cpu);
      if (rank == null) {
        return false;
      }
      rank.release(); // only asked whether an older rank still has it; our rank will take it
    }
    file.touch();
    return true;
  }

  /** The CPUs, and where they are. */
  CpuGroup group() {
    return group;
  }

  @Override
  public void close() throws IOException {
    synchronized (MINE) {
      release();
    }
  }

  private void release() throws IOException {
    MINE.removeAll(locks.keySet());
    for (FileLock lock : locks.values()) {
      lock.release();
    }
    locks.clear();
  }
}
