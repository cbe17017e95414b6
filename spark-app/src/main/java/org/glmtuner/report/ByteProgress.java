package org.glmtuner.report;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ProgressListener;

/**
 * How many bytes of a file are done, on standard error: a bar where there is a terminal, else a
 * line every few seconds. Ends the work where the user cancels it.
 */
public final class ByteProgress implements ProgressListener, AutoCloseable {
  /** Set by the launcher: a JVM cannot find it out by itself. */
  private static final String TERMINAL = "spark.glmtuner.terminal";

  private static final long SAY_NANOS = 5_000_000_000L;
  private static final long MB = 1_000_000;

  private final PrintStream out;
  private final boolean terminal;
  private final String task;
  private final BooleanSupplier cancelled;
  private final long startNanos = System.nanoTime();
  private long saidAt = startNanos;
  private long read;
  private ProgressBar bar;

  ByteProgress(PrintStream out, boolean terminal, String task, BooleanSupplier cancelled) {
    this.out = out;
    this.terminal = terminal;
    this.task = task;
    this.cancelled = cancelled;
  }

  /**
   * On standard error.
   *
   * @param task as a verb in -ing
   * @param cancelled whether the user wants the work to end
   */
  public static ByteProgress onStandardError(String task, BooleanSupplier cancelled) {
    return new ByteProgress(System.err, Boolean.getBoolean(TERMINAL), task, cancelled);
  }

  @Override
  public void read(long bytes) {
    check();
    read += bytes;
    if (isTimeToSay()) {
      out.printf(Locale.ROOT, "%,d MB read%n", read / MB);
    }
  }

  @Override
  public void written(long done, long total) {
    check();
    if (terminal) {
      if (bar == null) {
        bar =
            new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total / MB)
                .setUnit(" MB", 1)
                .showSpeed()
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(out))
                .build();
      }
      bar.stepTo(done / MB);
    } else if (isTimeToSay()) {
      double seconds = (System.nanoTime() - startNanos) / 1e9;
      out.printf(
          Locale.ROOT,
          "%s, %d %% of %,d MB, %.0f MB/s%n",
          task,
          100 * done / Math.max(1, total),
          total / MB,
          done / seconds / MB);
    }
  }

  private boolean isTimeToSay() {
    long now = System.nanoTime();
    if (now - saidAt < SAY_NANOS) {
      return false;
    }
    saidAt = now;
    return true;
  }

  private void check() {
    if (cancelled.getAsBoolean()) {
      throw new TunerException(ExitCode.CANCELLED, "Cannot go on " + task + ": it was cancelled");
    }
  }

  @Override
  public void waiting(Path file) {
    out.println("Waiting for another process of this host to make " + file);
  }

  @Override
  public void replacing(Path file, String reason) {
    out.println("Making " + file + " anew: " + reason);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
