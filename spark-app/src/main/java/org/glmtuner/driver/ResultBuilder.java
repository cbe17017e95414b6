package org.glmtuner.driver;

import java.io.IOException;
import java.util.Optional;
import org.glmtuner.checkpoint.Checkpoints;
import org.glmtuner.metrics.MetricsLog;

/**
 * Gathers a {@link TrainingResult} while a run goes on, so that one can be written whatever way it
 * ends.
 */
final class ResultBuilder {
  private final String runId;
  private final int attempts;
  private final double secondsBefore;
  private int worldSize;
  private AttemptListener listener;

  ResultBuilder(String runId, int attempts, double secondsBefore) {
    this.runId = runId;
    this.attempts = attempts;
    this.secondsBefore = secondsBefore;
  }

  void worldSize(int ranks) {
    worldSize = ranks;
  }

  /** The attempt, which may still be running. */
  void attempt(AttemptListener attemptListener) {
    listener = attemptListener;
  }

  /** The result of a run that finished; what the run directory holds decides. */
  TrainingResult build(double seconds, RunDirectory run) throws IOException {
    Checkpoints.Listing checkpoints = new Checkpoints(run.directory()).list();
    Optional<Checkpoints.Published> newest = checkpoints.newest();
    MetricsLog.Summary metrics = MetricsLog.summary(run.directory());
    boolean trained = listener != null && listener.group() != null;
    return new TrainingResult(
        TrainingResult.FINISHED,
        0,
        runId,
        attempts,
        newest.map(published -> published.manifest().step()).orElse(0L),
        worldSize,
        metrics.firstLoss(),
        metrics.lastLoss(),
        metrics.baseEvalLoss(),
        metrics.bestEvalLoss(),
        newest.map(published -> location(run, published)).orElse(null),
        checkpoints.best().map(published -> location(run, published)).orElse(null),
        trained && listener.tokensPerSecond() > 0 ? listener.tokensPerSecond() : null,
        secondsBefore + seconds,
        trained ? listener.group().backend() + " (" + listener.group().library() + ")" : null,
        trained ? listener.group().cpu() : null,
        trained ? listener.group().kernels() : null,
        null);
  }

  private static String location(RunDirectory run, Checkpoints.Published published) {
    return run.directory().child(published.name()).location();
  }
}
