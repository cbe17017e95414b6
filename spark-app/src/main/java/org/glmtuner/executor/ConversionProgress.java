package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Path;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.model.ProgressListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the driver how far the conversion of weights is, and ends it, or the waiting for it, where
 * the task was cancelled or its rank is gone.
 */
final class ConversionProgress implements ProgressListener {
  private static final Logger LOG = LoggerFactory.getLogger(ConversionProgress.class);
  private static final long SAY_NANOS = 5_000_000_000L;

  private final String attempt;
  private final Member self;
  private final TaskSignal signal;
  private final RankSession session;
  private boolean waits;
  private long read;
  private long saidAt = System.nanoTime();

  ConversionProgress(String attempt, Member self, TaskSignal signal, RankSession session) {
    this.attempt = attempt;
    this.self = self;
    this.signal = signal;
    this.session = session;
  }

  @Override
  public void read(long bytes) {
    check();
    read += bytes;
    if (isTimeToSay()) {
      say("comparing the weights with published ones, " + read / 1_000_000 + " MB read");
    }
  }

  @Override
  public void written(long done, long total) {
    check();
    if (isTimeToSay()) {
      say("converting the weights, " + 100 * done / total + " % of " + total / 1_000_000 + " MB");
    }
  }

  private boolean isTimeToSay() {
    if (System.nanoTime() - saidAt <= SAY_NANOS) {
      return false;
    }
    saidAt = System.nanoTime();
    return true;
  }

  @Override
  public void waiting(Path file) {
    if (!waits) {
      waits = true;
      LOG.info("Waiting for another process of this host to make {}", file);
    }
    check();
  }

  private void check() {
    signal.check();
    session.checkStarting();
  }

  @Override
  public void replacing(Path file, String problem) {
    say("making " + file + " anew: " + problem);
  }

  private void say(String text) {
    try {
      DriverLink.ask(new TaskMessage.Note(attempt, self, text));
    } catch (IOException e) {
      LOG.warn("Cannot tell the driver: {}: {}", text, e.getMessage());
    }
  }
}
