package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.generation.BatchGenerator;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.nativeddp.ProcessControl;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.ServeAssignment;

/** Answers a task's requests for losses and completions, alone: no process group. */
final class Server {
  private final ServeAssignment assignment;
  private final TaskLink task;

  Server(ServeAssignment assignment, TaskLink task) {
    this.assignment = assignment;
    this.task = task;
  }

  void run() throws IOException, InterruptedException {
    ChatGlmConfig config = assignment.base().parseConfig();
    String ownMemory = OwnMemory.prefer(assignment.base().placement());
    try (NDManager manager = NDManager.newBaseManager();
        FrozenTransformer transformer =
            FrozenTransformer.open(assignment.base(), config, new WatchedWeights(task))) {
      task.watch(transformer::progress);
      NDArray prefix = assignment.prefixFile().isEmpty() ? null : prefix(manager, config);
      task.send(
          new Frame.Ready(
              "",
              "",
              transformer.kernels(),
              ProcessControl.allowedCpus(),
              transformer.memory() + ownMemory));
      task.started();
      for (Frame frame = task.next(); !(frame instanceof Frame.End); frame = task.next()) {
        if (frame instanceof Frame.Score score) {
          task.send(
              new Frame.Scored(
                  transformer.losses(score.samples(), score.withPrefix() ? prefix : null)));
        } else if (frame instanceof Frame.Complete complete) {
          task.send(
              new Frame.Completed(
                  new BatchGenerator(
                          transformer.sequences(complete.withPrefix() ? prefix : null),
                          config.specialIds().eop(),
                          complete.decoding())
                      .complete(complete.prompts())));
        } else {
          throw new IllegalStateException("Invalid request: " + frame);
        }
      }
    }
  }

  /** The keys and values of the prefix file, [L, 2, P, H]. */
  private NDArray prefix(NDManager manager, ChatGlmConfig config) throws IOException {
    Path file = Path.of(assignment.prefixFile());
    try (PrefixEncoder encoder =
        PrefixEncoder.create(manager, config, PrefixFiles.shape(file, config))) {
      PrefixState.load(file, encoder, encoder.parameters());
      return new WatchedEncoder(encoder, task).keysAndValues(manager);
    }
  }
}
