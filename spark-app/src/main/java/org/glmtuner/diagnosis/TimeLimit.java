package org.glmtuner.diagnosis;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Runs what may hang. */
final class TimeLimit {
  private static final long END_MILLIS = 10_000;

  private TimeLimit() {}

  /**
   * The result of {@code body}, which runs on a thread of its own. One that takes too long is
   * interrupted and has a moment to give back what it holds; then it is left to itself.
   *
   * @throws TunerException (exit code 3) where it took too long
   */
  static <T> T call(Duration limit, String what, Callable<T> body) throws Exception {
    FutureTask<T> task = new FutureTask<>(body);
    Thread thread = new Thread(task, "check " + what);
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } catch (TimeoutException e) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          String.format(
              Locale.ROOT, "Cannot check %s: no end after %.1f s", what, limit.toMillis() / 1e3));
    } finally {
      thread.interrupt();
      thread.join(END_MILLIS);
    }
  }
}
