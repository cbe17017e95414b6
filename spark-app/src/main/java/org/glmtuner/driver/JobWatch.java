package org.glmtuner.driver;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Watches the Spark jobs of an attempt.
 *
 * <p>A barrier stage waits until all its slots are free, and would do so for ever where an executor
 * has gone since they were counted: an attempt of which no task runs for {@code ranks.wait} fails
 * with exit code 8. An attempt that has failed is cancelled. And where one task fails, Spark ends
 * the job while the others still end their ranks: closing waits a moment for them, because a driver
 * in local mode would take them with it.
 */
final class JobWatch implements AutoCloseable {
  private static final long POLL_MILLIS = 200;
  private static final long END_POLL_MILLIS = 20;
  private static final long END_SECONDS = 5;

  private final SparkContext spark;
  private final String tag;
  private final Duration patience;
  private final AttemptMonitor monitor;
  private final TaskCount tasks;
  private final Thread thread;

  private JobWatch(SparkContext spark, String attempt, Duration patience, AttemptMonitor monitor) {
    this.spark = spark;
    this.tag = "glm-tuner-" + attempt;
    this.patience = patience;
    this.monitor = monitor;
    this.tasks = new TaskCount(tag);
    this.thread = new Thread(this::watch, "job-watch");
    thread.setDaemon(true);
  }

  /** Watches the jobs that the calling thread starts until this is closed. */
  static JobWatch start(
      SparkContext spark, String attempt, Duration patience, AttemptMonitor monitor) {
    JobWatch watch = new JobWatch(spark, attempt, patience, monitor);
    spark.addSparkListener(watch.tasks);
    spark.addJobTag(watch.tag);
    watch.thread.start();
    return watch;
  }

  @Override
  public void close() {
    spark.removeJobTag(tag);
    thread.interrupt();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
    try {
      while (tasks.running() > 0 && System.nanoTime() < end) {
        Thread.sleep(END_POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    spark.removeSparkListener(tasks);
  }

  private void watch() {
    long activeAt = System.nanoTime();
    try {
      while (System.nanoTime() - activeAt < patience.toNanos()) {
        Thread.sleep(POLL_MILLIS);
        if (monitor.failure().isPresent()) {
          spark.cancelJobsWithTag(tag); // Spark would try tasks again, all in vain
          return;
        }
        if (tasks.running() > 0) {
          activeAt = System.nanoTime();
        }
      }
    } catch (InterruptedException e) {
      return; // closed
    }
    monitor.fail(
        new TunerException(
            ExitCode.NO_FREE_SLOTS,
            "Cannot go on: no task could start within "
                + patience.toSeconds()
                + " s; has an executor been lost? "
                + (spark.statusTracker().getExecutorInfos().length - 1)
                + " are there (ranks.wait)"));
    spark.cancelJobsWithTag(tag);
  }
}
