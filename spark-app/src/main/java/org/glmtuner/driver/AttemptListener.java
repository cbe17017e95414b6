package org.glmtuner.driver;

import java.io.IOException;
import java.util.Locale;
import java.util.stream.Collectors;
import org.glmtuner.executor.AttemptPlan;
import org.glmtuner.executor.TaskMessage;
import org.glmtuner.metrics.EvaluationRecord;
import org.glmtuner.metrics.MetricsLog;
import org.glmtuner.metrics.StepRecord;
import org.glmtuner.metrics.StepWindow;
import org.glmtuner.wire.StepReport;

/** Turns what tasks say into metrics, checkpoints and progress. Called by one thread at a time. */
final class AttemptListener implements AttemptMonitor.Listener {
  private final AttemptPlan plan;
  private final int worldSize;
  private final MetricsLog metrics;
  private final CheckpointGatherer gatherer;
  private final Progress progress;
  private final StepWindow window;
  private int joined;
  private long recorded;
  private long tokens;
  private double seconds;
  private TaskMessage.Joined group;

  AttemptListener(
      AttemptPlan plan,
      int worldSize,
      long samplesPerEpoch,
      MetricsLog metrics,
      CheckpointGatherer gatherer,
      Progress progress) {
    this.plan = plan;
    this.worldSize = worldSize;
    this.metrics = metrics;
    this.gatherer = gatherer;
    this.progress = progress;
    this.window = new StepWindow(samplesPerEpoch, worldSize, plan.attempt());
  }

  @Override
  public void hear(TaskMessage message) throws IOException {
    if (message instanceof TaskMessage.StepDone done) {
      stepDone(done.report());
    } else if (message instanceof TaskMessage.Joined newMember) {
      joined(newMember);
    } else if (message instanceof TaskMessage.Evaluated evaluated) {
      metrics.append(
          new EvaluationRecord(
              evaluated.step(), evaluated.withPrefix(), evaluated.loss(), plan.attempt()));
      if (evaluated.withPrefix()) {
        gatherer.evaluated(evaluated.step(), evaluated.loss());
      }
      progress.say(
          String.format(
              Locale.ROOT,
              "loss on the validation rows %s: %.4f",
              evaluated.withPrefix()
                  ? "after " + evaluated.step() + " steps"
                  : "of the base without a prefix",
              evaluated.loss()));
    } else if (message instanceof TaskMessage.EarlyStop stop) {
      gatherer.endAfter(stop.step());
      record(stop.step());
      progress.say(
          String.format(
              "stopping after %d of %d steps: %d measurements on the validation rows were no better (training.early-stop-patience)",
              stop.step(), plan.steps().end(), stop.evaluations()));
    } else if (message instanceof TaskMessage.Note note) {
      progress.say(note.member() + ": " + note.text());
    } else if (message instanceof TaskMessage.NonFinite nonFinite) {
      progress.say(
          "step "
              + (nonFinite.step() + 1)
              + ": the loss of samples "
              + nonFinite.samples().stream().map(String::valueOf).collect(Collectors.joining(", "))
              + " is not a finite number ("
              + nonFinite.member()
              + ")");
    } else if (message instanceof TaskMessage.Replica replica) {
      sayPublished(gatherer.replica(replica));
    } else if (message instanceof TaskMessage.Uploaded uploaded) {
      sayPublished(gatherer.uploaded(uploaded));
    }
  }

  private void joined(TaskMessage.Joined newMember) {
    group = newMember;
    joined++;
    if (joined == worldSize) {
      progress.say(
          worldSize
              + (worldSize == 1 ? " rank" : " ranks")
              + " in the process group: backend "
              + newMember.backend()
              + ", "
              + newMember.library()
              + "; "
              + newMember.kernels());
      progress.start(plan.steps().first(), plan.steps().end());
    }
  }

  private void stepDone(StepReport report) throws IOException {
    long done = report.step() + 1;
    tokens += report.tokens();
    seconds += report.times().total();
    window.add(report);
    if (!report.applied()) {
      progress.say(
          String.format(
              Locale.ROOT,
              "step %d changes nothing: loss %s, gradient norm %s",
              done,
              report.loss(),
              report.gradientNorm()));
    }
    progress.step(done);
    if (done % plan.config().training().intervals().logEvery() == 0 || done == plan.steps().end()) {
      record(done);
    }
  }

  /** Logs what came since the last record, if anything did. */
  private void record(long done) throws IOException {
    if (recorded < done) {
      recorded = done;
      long entries = (done - 1) * plan.steps().globalBatch() + plan.steps().samplesOf(done - 1);
      StepRecord record = window.take(entries);
      metrics.append(record);
      progress.record(record);
    }
  }

  private void sayPublished(boolean published) {
    if (published) {
      progress.say("published checkpoint-" + gatherer.published());
    }
  }

  /** What the last rank to join has said of the group; null before any did. */
  TaskMessage.Joined group() {
    return group;
  }

  /** Tokens a second over the attempt's steps; NaN before the first. */
  double tokensPerSecond() {
    return tokens / seconds;
  }
}
