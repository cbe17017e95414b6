package org.glmtuner.executor;

import java.io.IOException;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Tells the driver why a task is about to fail: Spark would pass on a stack trace only. */
final class FailureReport {
  private FailureReport() {}

  static void send(String attempt, Member self, Exception failure) {
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
