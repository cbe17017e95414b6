package org.glmtuner.executor;

import java.io.IOException;
import java.time.Duration;
import org.glmtuner.executor.RankHost.Purpose;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.wire.Frame;

/**
 * A rank that a check of a task has started. Opened, used and closed by the task's thread; no wait
 * for it is endless.
 */
final class CheckedRank implements AutoCloseable {
  private static final long POLL_MILLIS = 20;

  private final RankHost host;
  private final TaskSignal task;
  private final Duration limit;

  private CheckedRank(RankHost host, TaskSignal task, Duration limit) {
    this.host = host;
    this.task = task;
    this.limit = limit;
  }

  /**
   * Claims cores, for which it waits as {@code ranks.wait} of the plan says, and forks a rank.
   *
   * @param limit of each answer. What the task waits for between its questions does not count.
   */
  static CheckedRank open(DoctorPlan plan, Purpose purpose, TaskSignal task, Duration limit)
      throws IOException, InterruptedException {
    RankHost host =
        RankHost.open(
            plan.config(),
            purpose,
            HostTopology.read(plan.config().cache().path()),
            plan.cores(),
            task);
    return new CheckedRank(host, task, limit);
  }

  RankHost host() {
    return host;
  }

  /**
   * Tells the rank something and waits for what it says next.
   *
   * @param action what it does until then, for messages
   * @throws TunerException (exit code 3) where that takes too long; as {@link RankSession#next}
   */
  Frame ask(Frame request, String action) throws InterruptedException {
    host.session().post(request);
    return next(action);
  }

  Frame next(String action) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      Frame frame = host.session().next(POLL_MILLIS);
      task.check();
      if (frame != null) {
        return frame;
      }
      if (System.nanoTime() > end) {
        throw new TunerException(
            ExitCode.UNSUITABLE,
            "Cannot "
                + action
                + ": the rank (process "
                + host.session().pid()
                + ") has no answer after "
                + limit.toMillis() / 1e3
                + " s");
      }
    }
  }

  /** Lets it end by itself, leaving its group in order. */
  void finish() throws InterruptedException {
    ask(new Frame.End(), "leave the group");
    host.session().awaitExit(task);
  }

  @Override
  public void close() throws IOException {
    host.close();
  }
}
