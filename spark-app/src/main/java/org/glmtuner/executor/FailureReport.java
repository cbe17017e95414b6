package org.glmtuner.executor;

import java.io.IOException;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the driver why a task is about to fail: Spark would pass on a stack trace only. */
final class FailureReport {
  private static final Logger LOG = LoggerFactory.getLogger(FailureReport.class);

  private FailureReport() {}

  /** Nothing is sent where the task only ends because the attempt does: the driver knows why. */
  static void send(String attempt, Member self, Throwable failure, TaskSignal signal) {
    if (failure instanceof AttemptOverException || signal.isCancelled()) {
      LOG.info("{} ends: {}", self, failure.getMessage());
      return;
    }
    ExitCode code =
        failure instanceof TunerException known ? known.exitCode() : ExitCode.TRAINING_FAILED;
    String message =
        failure instanceof TunerException
            ? failure.getMessage()
            : "Cannot go on: " + self + " failed: " + failure;
    if (!message.contains(self.host())) {
      message += " (" + self + ")";
    }
    try {
      DriverLink.ask(new TaskMessage.Failed(attempt, self, code, message));
    } catch (IOException | AttemptOverException e) {
      failure.addSuppressed(e);
    }
  }
}
