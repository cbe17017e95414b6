package org.glmtuner.driver;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.glmtuner.executor.TaskSignal;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Shutdown;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ctrl-C and SIGTERM: Spark's jobs are cancelled, which ends every rank, and the command gets the
 * time to write its result before Spark and the file systems shut down.
 */
public final class Cancellation implements TaskSignal {
  private static final Logger LOG = LoggerFactory.getLogger(Cancellation.class);
  private static final long PATIENCE_SECONDS = 20;
  private static final long POLL_MILLIS = 500;

  private final CountDownLatch done = new CountDownLatch(1);
  private volatile boolean requested;
  private volatile SparkContext context;

  /** Watches for the end of this JVM. */
  public static Cancellation install() {
    Cancellation cancellation = new Cancellation();
    Shutdown.first(cancellation::shutDown);
    return cancellation;
  }

  /** One that nothing triggers, for sessions that belong to somebody else. */
  public static Cancellation none() {
    return new Cancellation();
  }

  /** The jobs of {@code sparkContext} are cancelled from now on. */
  public void watch(SparkContext sparkContext) {
    context = sparkContext;
  }

  /**
   * For places that wait while no Spark job runs.
   *
   * @throws TunerException (exit code 5) where the user wants the command to end
   */
  @Override
  public void check() {
    if (requested) {
      throw new TunerException(ExitCode.CANCELLED, "Cancelled");
    }
  }

  /** Whether the user wants the command to end. */
  @Override
  public boolean isCancelled() {
    return requested;
  }

  /** The command has written all it had to; the JVM may go. */
  public void done() {
    done.countDown();
  }

  private void shutDown() {
    if (done.getCount() == 0) {
      return; // an ordinary exit
    }
    requested = true;
    LOG.warn("Cancelling");
    try {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      boolean ended = false;
      while (!ended && System.nanoTime() < end) {
        SparkContext running = context;
        if (running != null && !running.isStopped()) {
          running.cancelAllJobs(); // again and again: the command may be about to start another
        }
        ended = done.await(POLL_MILLIS, TimeUnit.MILLISECONDS);
      }
      if (!ended) {
        LOG.warn("The command did not end within {} s", PATIENCE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(ExitCode.CANCELLED.number());
  }
}
