package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.glmtuner.executor.TaskMessage.StoredFile;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.FileTransfer;
import org.glmtuner.storage.PrivateDirectory;

/**
 * Copies rank 0's snapshots into the run directory while training goes on, one after another, and
 * tells the driver of each.
 */
final class CheckpointUpload implements AutoCloseable {
  private static final long POLL_MILLIS = 50;

  private final AttemptPlan plan;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(
          body -> {
            Thread thread = new Thread(body, "checkpoint-upload");
            thread.setDaemon(true);
            return thread;
          });
  private final Deque<Future<?>> pending = new ArrayDeque<>();

  CheckpointUpload(AttemptPlan plan) {
    this.plan = plan;
  }

  /** Uploads the files of {@code snapshot} and removes them. */
  void start(long step, Path snapshot) {
    pending.add(
        worker.submit(
            () -> {
              upload(step, snapshot);
              return null;
            }));
  }

  /** Throws what an upload has thrown. */
  void check() throws InterruptedException {
    while (!pending.isEmpty() && pending.peek().isDone()) {
      await(pending.remove(), 0);
    }
  }

  /** Waits until all are done. */
  void finish(TaskSignal signal) throws InterruptedException {
    while (!pending.isEmpty()) {
      signal.check();
      if (await(pending.peek(), POLL_MILLIS)) {
        pending.remove();
      }
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }

  private static boolean await(Future<?> upload, long millis) throws InterruptedException {
    try {
      upload.get(millis, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new TunerException(
          ExitCode.TRAINING_FAILED,
          "Cannot store a checkpoint: " + e.getCause().getMessage(),
          e.getCause());
    }
  }

  private void upload(long step, Path snapshot) throws IOException {
    String name = plan.temporaryCheckpoint(step);
    Directory target = Directory.of(plan.config().run().directory(), plan.settings()).child(name);
    target.create();
    ArrayList<StoredFile> stored = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(snapshot)) {
      for (Path file : files) {
        stored.add(
            new StoredFile(
                file.getFileName().toString(),
                Files.size(file),
                FileTransfer.upload(file, target)));
      }
    }
    DriverLink.ask(new TaskMessage.Uploaded(plan.attempt(), step, name, stored));
    PrivateDirectory.deleteTree(snapshot);
  }
}
