package org.glmtuner.rank;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.TrainerState;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.Frame.Phase;
import org.glmtuner.wire.TrainAssignment;

/**
 * Checkpoints as the rank makes them: every rank reports its checksum; rank 0 copies its state and
 * writes the files while training goes on.
 */
@SuppressWarnings("try") // activities are held, not used
final class Snapshots implements AutoCloseable {
  private final TrainAssignment assignment;
  private final ChatGlmConfig config;
  private final PrefixState state;
  private final TaskLink task;
  private final ExecutorService writer =
      Executors.newSingleThreadExecutor(
          body -> {
            Thread thread = new Thread(body, "snapshot-writer");
            thread.setDaemon(true);
            return thread;
          });
  private Future<?> pending;

  Snapshots(TrainAssignment assignment, ChatGlmConfig config, PrefixState state, TaskLink task) {
    this.assignment = assignment;
    this.config = config;
    this.state = state;
    this.task = task;
  }

  /**
   * Makes the checkpoint of a run that has done {@code steps} steps; waits where the one before is
   * still being written.
   */
  void take(long steps, int nonFiniteSteps, BestLoss best)
      throws IOException, InterruptedException {
    finish();
    task.send(new Frame.Replica(steps, state.checksum()));
    if (assignment.membership().rank() == 0) {
      PrefixState.Copy copy = state.copy();
      TrainerState progress =
          new TrainerState(steps, copy.updates(), nonFiniteSteps, best.value(), best.since());
      pending =
          writer.submit(
              () -> {
                try (copy) {
                  write(copy, progress);
                }
                return null;
              });
    }
  }

  /** Throws what went wrong with the last one, if that is known by now. */
  void check() throws InterruptedException {
    if (pending != null && pending.isDone()) {
      finish();
    }
  }

  /** Waits for the last one. */
  void finish() throws InterruptedException {
    if (pending != null) {
      try (TaskLink.Activity writing = task.enter(Phase.WRITING)) {
        pending.get();
      } catch (ExecutionException e) {
        throw new TunerException(
            ExitCode.TRAINING_FAILED,
            "Cannot write a checkpoint to "
                + assignment.snapshotDirectory()
                + ": "
                + e.getCause().getMessage(),
            e.getCause());
      }
      pending = null;
    }
  }

  private void write(PrefixState.Copy copy, TrainerState progress) throws IOException {
    Path directory =
        Files.createDirectory(
            Path.of(assignment.snapshotDirectory()).resolve(Long.toString(progress.globalStep())));
    PrefixFiles files =
        new PrefixFiles(
            config, assignment.prefix(), assignment.base().fingerprint(), progress.globalStep());
    files.write(directory, copy.parameters(), copy.moments());
    progress.write(directory);
    task.send(new Frame.Snapshot(progress.globalStep(), directory.toString()));
  }

  @Override
  public void close() {
    writer.shutdownNow();
  }
}
