package org.glmtuner.driver;

import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.metrics.RecordJson;

/**
 * {@code result.json}; keys are the names in lower_case_with_underscores, and what does not apply
 * is left out.
 *
 * @param status finished, failed or cancelled
 * @param backend of the process group, with the version of its MPI library
 * @param baseEvalLoss loss of the base without a prefix on the validation rows
 * @param bestEvalLoss least loss with the trained prefix on the validation rows
 * @param checkpoint URI of the newest checkpoint
 * @param bestCheckpoint URI of that with the least loss on the validation rows
 * @param seconds of all attempts so far, from the start of each
 */
public record TrainingResult(
    String status,
    int exitCode,
    String runId,
    int attempts,
    long steps,
    int worldSize,
    Double firstLoss,
    Double finalLoss,
    Double baseEvalLoss,
    Double bestEvalLoss,
    String checkpoint,
    String bestCheckpoint,
    Double tokensPerSecond,
    double seconds,
    String backend,
    String cpu,
    String kernels,
    String error) {
  public static final String FILE = "result.json";
  public static final String FINISHED = "finished";

  public String toJson() {
    return RecordJson.write(this);
  }

  public static TrainingResult fromJson(String json) {
    return RecordJson.read(json, TrainingResult.class);
  }

  boolean isFinished() {
    return FINISHED.equals(status);
  }

  /** The same numbers with an end that was not good. */
  TrainingResult ended(TunerException failure) {
    return new TrainingResult(
        failure.exitCode() == ExitCode.CANCELLED ? "cancelled" : "failed",
        failure.exitCode().number(),
        runId,
        attempts,
        steps,
        worldSize,
        firstLoss,
        finalLoss,
        baseEvalLoss,
        bestEvalLoss,
        checkpoint,
        bestCheckpoint,
        tokensPerSecond,
        seconds,
        backend,
        cpu,
        kernels,
        failure.getMessage());
  }
}
