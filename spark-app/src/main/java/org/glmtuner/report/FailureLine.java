package org.glmtuner.report;

import com.google.gson.JsonObject;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** How a command says that it has failed. */
public final class FailureLine {
  private FailureLine() {}

  /**
   * One sentence for people on standard error, one line of JSON for programs on standard output.
   *
   * @return the exit code
   */
  public static int print(TunerException failure) {
    System.err.println(failure.getMessage());
    JsonObject line = new JsonObject();
    line.addProperty("status", failure.exitCode() == ExitCode.CANCELLED ? "cancelled" : "failed");
    line.addProperty("exit_code", failure.exitCode().number());
    line.addProperty("error", failure.getMessage());
    System.out.println(line);
    return failure.exitCode().number();
  }
}
