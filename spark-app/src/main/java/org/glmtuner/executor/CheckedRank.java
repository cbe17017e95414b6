package org.glmtuner.executor;

import java.io.IOException;
import java.time.Duration;
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
  private final TaskSignal signal;

  private CheckedRank(RankHost host, TaskSignal signal) {
    this.host = host;
    this.signal = signal;
  }

  /** Claims cores and forks a rank, whose whole life may last so long. */
  static CheckedRank open(
      DoctorPlan plan, RankHost.Purpose purpose, TaskSignal task, Duration limit)
      throws IOException, InterruptedException {
    TaskSignal signal = new Deadline(task, System.nanoTime() + limit.toNanos(), limit);
    return new CheckedRank(
        RankHost.open(
            plan.config(),
            purpose,
            HostTopology.read(plan.config().cache().path()),
            plan.cores(),
            signal),
        signal);
  }

  /** A signal that ends what takes too long, too. */
  private record Deadline(TaskSignal task, long end, Duration limit) implements TaskSignal {
    @Override
    public boolean isCancelled() {
      return task.isCancelled();
    }

    @Override
    public void check() {
      task.check();
      if (System.nanoTime() > end) {
        throw new TunerException(
            ExitCode.UNSUITABLE,
            "Cannot go on: the rank has no answer after " + limit.toSeconds() + " s");
      }
    }
  }

  RankHost host() {
    return host;
  }

  /** Tells the rank something and waits for what it says next. */
  Frame ask(Frame request) throws InterruptedException {
    host.session().post(request);
    return next();
  }

  Frame next() throws InterruptedException {
    while (true) {
      Frame frame = host.session().next(POLL_MILLIS);
      signal.check();
      if (frame != null) {
        return frame;
      }
    }
  }

  /** Lets it end by itself, leaving its group in order. */
  void finish() throws InterruptedException {
    ask(new Frame.End());
    host.session().awaitExit(signal);
  }

  @Override
  public void close() throws IOException {
    host.close();
  }
}
