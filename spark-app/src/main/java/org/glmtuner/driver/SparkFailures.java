package org.glmtuner.driver;

import java.util.Collection;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Turns what Spark throws when a job fails, a message of many lines, into what a user can act on.
 */
final class SparkFailures {
  private static final Pattern LOST_TASK =
      Pattern.compile("Lost task [^(]*\\(TID \\d+\\) \\(([^)]*)\\): ([^\\n]*)");

  private static final Pattern LOST_EXECUTOR =
      Pattern.compile("ExecutorLostFailure \\(executor (\\S+) [^\\n]*?Reason: ([^\\n]*)");

  private SparkFailures() {}

  /**
   * As {@link #explain(String, Exception)}, with the ranks of a lost executor.
   *
   * @param members those that have been heard of
   */
  static TunerException explain(String action, Exception failure, Collection<Member> members) {
    Matcher lost = LOST_EXECUTOR.matcher(String.valueOf(failure.getMessage()));
    if (failure instanceof TunerException || !lost.find()) {
      return explain(action, failure);
    }
    String ranks =
        members.stream()
            .filter(member -> member.executor().equals(lost.group(1)))
            .map(Member::toString)
            .collect(Collectors.joining(", "));
    return new TunerException(
        ExitCode.TRAINING_FAILED,
        "Cannot "
            + action
            + ": executor "
            + lost.group(1)
            + " was lost"
            + (ranks.isEmpty() ? "" : " with " + ranks)
            + ": "
            + lost.group(2).strip(),
        failure);
  }

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
