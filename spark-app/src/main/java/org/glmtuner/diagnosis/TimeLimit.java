package org.glmtuner.diagnosis;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Runs what may hang. */
final class TimeLimit {
  private static final long END_MILLIS = 10_000;
  private static final long CANCEL_MILLIS = 3_000;
  private static final long POLL_MILLIS = 100;

  private TimeLimit() {}

  /**
   * The result of {@code body}, which runs on a thread of its own. One that takes too long is
   * interrupted and has a moment to give back what it holds; then it is left to itself.
   *
   * @param cancellation throws where all is to end; {@code body} may ask it too, and then ends in
   *     order
   * @throws TunerException (exit code 3) where it took too long
   */
  static <T> T call(Duration limit, String what, Runnable cancellation, Callable<T> body)
      throws Exception {
    cancellation.run();
    FutureTask<T> task = new FutureTask<>(body);
    Thread thread = new Thread(task, "check " + what);
    thread.setDaemon(true);
    thread.start();
    long end = System.nanoTime() + limit.toNanos();
    long patience = END_MILLIS;
    try {
      while (thread.isAlive() && System.nanoTime() < end) {
        try {
          cancellation.run();
        } catch (RuntimeException e) {
          thread.join(CANCEL_MILLIS);
          patience = POLL_MILLIS;
          throw e;
        }
        thread.join(POLL_MILLIS);
      }
      if (task.isDone()) {
        return task.get();
      }
      throw new TunerException(
          ExitCode.UNSUITABLE,
          String.format(
              Locale.ROOT, "Cannot check %s: no end after %.1f s", what, limit.toMillis() / 1e3));
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } finally {
      thread.interrupt();
      thread.join(patience);
    }
  }
}
