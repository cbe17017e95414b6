package org.glmtuner.driver;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Turns what Spark throws when a job fails, a message of many lines, into what a user can act on.
 */
final class SparkFailures {
  private static final Pattern LOST_TASK =
      Pattern.compile("Lost task [^(]*\\(TID \\d+\\) \\(([^)]*)\\): ([^\\n]*)");

  private SparkFailures() {}

  /**
   * The exception of ours that a task has thrown, or else one with exit code 4 and Spark's own
   * reason.
   */
  static TunerException explain(String action, Exception failure) {
    if (failure instanceof TunerException known) {
      return known;
    }
    String message = String.valueOf(failure.getMessage());
    Optional<TunerException> thrown = TunerException.find(message);
    if (thrown.isPresent()) {
      thrown.get().addSuppressed(failure);
      return thrown.get();
    }
    return new TunerException(
        ExitCode.TRAINING_FAILED, "Cannot " + action + ": " + reason(message), failure);
  }

  private static String reason(String message) {
    Matcher lost = LOST_TASK.matcher(message);
    return lost.find()
        ? lost.group(2) + " (task on " + lost.group(1) + ")"
        : message.lines().findFirst().orElse("no reason given");
  }
}
