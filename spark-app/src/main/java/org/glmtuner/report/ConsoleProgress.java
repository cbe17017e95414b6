package org.glmtuner.report;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.glmtuner.driver.Progress;
import org.glmtuner.metrics.StepRecord;

/**
 * Progress on standard error: a bar where there is a terminal, a line for each record where there
 * is none.
 */
public final class ConsoleProgress implements Progress {
  private static final String CLEAR_LINE = "\r\u001b[K";

  /** Of a job without steps, where there is no terminal. */
  private static final int LINES = 10;

  private final PrintStream out;
  private final boolean terminal;
  private ProgressBar bar;
  private long steps;
  private long startStep;
  private long startNanos;
  private String items;
  private long doneItems;

  /** On standard error, which is a terminal or not. */
  public static ConsoleProgress onStandardError(boolean terminal) {
    return new ConsoleProgress(System.err, terminal);
  }

  ConsoleProgress(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  @Override
  public synchronized void say(String sentence) {
    if (bar != null) {
      bar.pause();
      out.print(CLEAR_LINE); // of the bar, which is drawn anew below
    }
    out.println(sentence);
    if (bar != null) {
      bar.resume();
    }
  }

  @Override
  public synchronized void start(long done, long newSteps) {
    begin("training", done, newSteps);
  }

  private void begin(String task, long done, long newSteps) {
    steps = newSteps;
    startStep = done;
    startNanos = System.nanoTime();
    if (terminal) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setInitialMax(steps)
              .startsFrom(done, Duration.ZERO)
              .setStyle(ProgressBarStyle.ASCII)
              .setConsumer(new ConsoleProgressBarConsumer(out))
              .build();
    }
  }

  @Override
  public synchronized void step(long done) {
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  @Override
  public synchronized void record(StepRecord record) {
    if (bar != null) { // which shows steps and time, and has little room
      bar.setExtraMessage(
          String.format(
              Locale.ROOT, " loss %.4f, %.0f tokens/s", record.loss(), record.tokensPerSecond()));
      return;
    }
    out.println(
        String.format(
            Locale.ROOT,
            "step %d/%d  loss %.4f  lr %.6f  %.0f tokens/s  %.3f s/step  all-reduce %.0f %%  %s left",
            record.step(),
            steps,
            record.loss(),
            record.learningRate(),
            record.tokensPerSecond(),
            record.stepSeconds(),
            100 * record.allreduceSeconds() / record.stepSeconds(),
            remaining(record.step())));
  }

  @Override
  public synchronized void expect(String newItems, long count) {
    items = newItems;
    doneItems = 0;
    begin(items, 0, count);
  }

  @Override
  public synchronized void done(long more) {
    long before = doneItems;
    doneItems = Math.min(steps, before + more); // a task that is repeated counts again
    if (bar != null) {
      bar.stepTo(doneItems);
    } else if (items != null && LINES * doneItems / steps > LINES * before / steps) {
      out.println(doneItems + " of " + steps + " " + items + ", " + remaining(doneItems) + " left");
    }
  }

  private String remaining(long done) {
    double perStep = (System.nanoTime() - startNanos) / 1e9 / Math.max(1, done - startStep);
    Duration left = Duration.ofSeconds(Math.round(perStep * (steps - done)));
    return String.format(
        Locale.ROOT, "%d:%02d:%02d", left.toHours(), left.toMinutesPart(), left.toSecondsPart());
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
