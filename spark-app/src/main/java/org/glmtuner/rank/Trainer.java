package org.glmtuner.rank;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.glmtuner.checkpoint.TrainerState;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.nativeddp.ProcessControl;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.TrainAssignment;

/** Trains from the first step that the task sends to the last: the loop of one rank. */
final class Trainer {
  private final TrainAssignment assignment;
  private final TaskLink task;
  private final List<Sample> validation = new ArrayList<>();

  Trainer(TrainAssignment assignment, TaskLink task) {
    this.assignment = assignment;
    this.task = task;
  }

  void run() throws IOException, InterruptedException {
    ChatGlmConfig config = assignment.base().parseConfig();
    String ownMemory = OwnMemory.prefer(assignment.base().placement());
    try (NDManager manager = NDManager.newBaseManager();
        FrozenTransformer transformer =
            FrozenTransformer.openToTrain(
                assignment.base(), config, assignment.prefix(), new WatchedWeights(task));
        PrefixEncoder encoder = PrefixEncoder.create(manager, config, assignment.prefix());
        HfAdamW optimizer =
            new HfAdamW(
                manager,
                encoder.parameters(),
                assignment.training().optimizer(),
                assignment.base().threads())) {
      task.watch(transformer::progress);
      DistributedGroup group = DistributedGroup.join(manager, assignment.membership(), task);
      PrefixState state = new PrefixState(encoder, optimizer);
      TrainerState progress = state.restore(assignment, group);
      Evaluation evaluation = new Evaluation(transformer, group, assignment, manager);
      task.send(
          new Frame.Ready(
              DistributedGroup.BACKEND,
              group.libraryVersion(),
              transformer.kernels(),
              ProcessControl.allowedCpus(),
              transformer.memory() + ownMemory));
      task.started();
      WatchedEncoder watched = new WatchedEncoder(encoder, task);
      try (TrainStep step =
              new TrainStep(assignment, transformer, watched, optimizer, group, manager);
          Snapshots snapshots = new Snapshots(assignment, config, state, task)) {
        steps(step, watched, evaluation, snapshots, progress);
        snapshots.finish();
      }
      group.close(); // only here: a group that has lost a member cannot be left in order
    }
  }

  private void steps(
      TrainStep step,
      WatchedEncoder encoder,
      Evaluation evaluation,
      Snapshots snapshots,
      TrainerState before)
      throws IOException, InterruptedException {
    int nonFinite = before.nonFiniteSteps();
    BestLoss best = new BestLoss(before);
    boolean leads = assignment.membership().rank() == 0;
    for (Frame frame = task.next(); !(frame instanceof Frame.End); frame = task.next()) {
      if (frame instanceof Frame.ValidationRows rows) {
        validation.addAll(rows.samples());
        continue;
      }
      if (frame instanceof Frame.ReadGradient wanted) {
        task.send(new Frame.GradientRead(step.gradient(wanted.layer())));
        continue;
      }
      if (!(frame instanceof Frame.Step work)) {
        throw new IllegalStateException("Invalid frame while training: " + frame);
      }
      task.enterStep(work.step());
      snapshots.check();
      if (work.step() == 0) {
        evaluate(evaluation, null, 0, leads);
      }
      TrainStep.Outcome outcome = step.run(work);
      task.send(new Frame.StepDone(outcome.report(), outcome.nonFinite()));
      if (!outcome.report().applied()) {
        nonFinite++;
        if (nonFinite > assignment.training().maxNonFiniteSteps()) {
          throw new TunerException(
              ExitCode.DIVERGED,
              "Cannot go on: the loss or the gradient of "
                  + nonFinite
                  + " steps was not a finite number, the last time in step "
                  + (work.step() + 1)
                  + ": loss "
                  + outcome.report().loss()
                  + ", gradient norm "
                  + outcome.report().gradientNorm()
                  + " (training.max-non-finite-steps)");
        }
      }
      long done = work.step() + 1;
      boolean last = done == assignment.span().end();
      boolean better = false;
      boolean stops = false;
      if (last || isMultiple(done, assignment.training().validation().every())) {
        // before the checkpoint: once the last one is published, the run counts as finished
        OptionalDouble loss = evaluate(evaluation, encoder, done, leads);
        better = loss.isPresent() && best.add(loss.getAsDouble());
        stops = !last && best.exhausts(assignment.training().validation().patience());
      }
      if (stops && leads) {
        task.send(new Frame.EarlyStop(done, best.since()));
      }
      if (last
          || stops
          || better
          || isMultiple(done, assignment.training().intervals().checkpointEvery())) {
        snapshots.take(done, nonFinite, best);
      }
      if (stops) {
        return; // on all ranks: they have the same losses
      }
    }
  }

  private static boolean isMultiple(long step, int every) {
    return every > 0 && step % every == 0;
  }

  /**
   * The loss on the validation rows with the trained prefix, or of the base alone where {@code
   * encoder} is null.
   */
  private OptionalDouble evaluate(
      Evaluation evaluation, WatchedEncoder encoder, long step, boolean leads) throws IOException {
    OptionalDouble loss = evaluation.loss(validation, encoder);
    if (leads && loss.isPresent()) {
      task.send(new Frame.Evaluated(step, encoder != null, loss.getAsDouble()));
    }
    return loss;
  }
}
