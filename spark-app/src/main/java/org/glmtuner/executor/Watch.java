package org.glmtuner.executor;

import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.Frame.Phase;

/**
 * Judges from a rank's frames whether it hangs. Silence is a hang; so is computing without
 * progress. Waiting in a collective is not: there it waits for another rank, and only the driver
 * sees whether all of them do.
 */
final class Watch {
  /** What a rank does since {@code seconds}. */
  record State(Phase phase, long step, double seconds) {}

  private static final long STARTING_PATIENCE = 8;
  private static final long WRITING_PATIENCE = 40;
  private static final long ENCODING_PATIENCE = 40;

  private final long timeoutNanos;
  private final LongSupplier clock;
  private long heardAt;
  private long movedAt;
  private Frame.Alive last = new Frame.Alive(Phase.STARTING, 0, 0);

  Watch(Duration timeout) {
    this(timeout, System::nanoTime);
  }

  Watch(Duration timeout, LongSupplier nanoClock) {
    this.timeoutNanos = timeout.toNanos();
    this.clock = nanoClock;
    this.heardAt = nanoClock.getAsLong();
    this.movedAt = heardAt;
  }

  void heard(Frame frame) {
    heardAt = clock.getAsLong();
    if (frame instanceof Frame.Alive alive) {
      if (!alive.equals(last)) {
        movedAt = heardAt;
      }
      last = alive;
    } else {
      movedAt = heardAt;
    }
  }

  /** Why the rank counts as hung; null if it does not. */
  String silence() {
    long now = clock.getAsLong();
    if (now - heardAt > timeoutNanos) {
      return String.format(
          Locale.ROOT,
          "no sign of life for %.0f s at step %d",
          seconds(now - heardAt),
          last.step() + 1);
    }
    long patience = patience(last.phase());
    if (patience > 0 && now - movedAt > patience * timeoutNanos) {
      return String.format(
          Locale.ROOT,
          "no progress for %.0f s while %s step %d",
          seconds(now - movedAt),
          switch (last.phase()) {
            case STARTING -> "starting or reading the weights, before";
            case ENCODING_PREFIX -> "encoding the prefix in";
            case WRITING -> "writing a checkpoint, before";
            default -> "computing";
          },
          last.step() + 1);
    }
    return null;
  }

  /**
   * How many timeouts a phase may last without progress; 0: any time. Starting reads hundreds of
   * megabytes of libraries, writing waits for a disk, one product of a projected prefix may take a
   * core a minute, and none of them shows how far it is. Weights that are read when a rank starts
   * do, so that a slow disk is no hang.
   */
  private static long patience(Phase phase) {
    return switch (phase) {
      case COMPUTING -> 1;
      case STARTING -> STARTING_PATIENCE;
      case ENCODING_PREFIX -> ENCODING_PATIENCE;
      case WRITING -> WRITING_PATIENCE;
      // what it waits for is watched, not the waiting
      case IN_COLLECTIVE, WAITING_FOR_WORK, WAITING_FOR_WEIGHTS -> 0;
    };
  }

  State state() {
    return new State(last.phase(), last.step(), seconds(clock.getAsLong() - movedAt));
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
