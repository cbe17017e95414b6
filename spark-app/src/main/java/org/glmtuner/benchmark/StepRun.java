package org.glmtuner.benchmark;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.HostIdentity;
import org.glmtuner.executor.LocalRanks;
import org.glmtuner.model.RandomWeights;
import org.glmtuner.report.ByteProgress;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.wire.StepReport;

/** Starts ranks, measures a step of theirs, and has its result computed again. */
final class StepRun {
  private static final double GIB = 1 << 30;
  private static final int READ_BYTES = 1 << 22;

  private final Settings settings;
  private final Path weights;

  /** Provides the weight file. */
  StepRun(Settings settings) throws IOException, InterruptedException {
    this.settings = settings;
    TunerConfig config = settings.config();
    try (ByteProgress progress =
        ByteProgress.onStandardError("writing random weights", () -> false)) {
      this.weights =
          RandomWeights.provide(
              settings.model().config(),
              config.model().precision(),
              config.run().seed(),
              PrivateDirectory.provide(config.cache().path()),
              progress);
    }
  }

  Path weights() {
    return weights;
  }

  /** Brings the weight file into the page cache. */
  void readWeights() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BYTES);
    try (FileChannel file = FileChannel.open(weights)) {
      while (file.read(buffer.clear()) >= 0) {
        // nothing is wanted of it
      }
    }
  }

  /** A step once, untimed. */
  StepResult once(List<List<Sample>> rows) throws IOException, InterruptedException {
    try (TrainingGroup group = TrainingGroup.start(settings, weights)) {
      StepResult result = group.result(group.step(rows).get(0));
      group.finish();
      return result;
    }
  }

  /** What the step has to come to. */
  StepResult reference(List<List<Sample>> rows) throws IOException, InterruptedException {
    return Verification.reference(settings, weights, rows);
  }

  /**
   * A step that was measured.
   *
   * @param report of rank 0, of any of the repetitions
   */
  record Measured(JsonObject line, StepReport report) {}

  Measured measure(List<List<Sample>> rows, int repeat) throws IOException, InterruptedException {
    try (TrainingGroup group = TrainingGroup.start(settings, weights)) {
      Measured measured = measure(group, rows, repeat);
      group.finish();
      return measured;
    }
  }

  /** The measured step as one object, with its verification if there is one. */
  JsonObject run(List<List<Sample>> rows, int repeat, Verification.Extent verify)
      throws IOException, InterruptedException {
    Measured measured;
    StepResult result = null;
    try (TrainingGroup group = TrainingGroup.start(settings, weights)) {
      measured = measure(group, rows, repeat);
      if (verify != Verification.Extent.NONE) {
        result = group.result(measured.report()); // of the last step that was timed
      }
      group.finish();
    }
    if (result != null) {
      measured.line().add("verification", verify(rows, result, reference(rows)).toJson());
    }
    return measured.line();
  }

  private Measured measure(TrainingGroup group, List<List<Sample>> rows, int repeat)
      throws IOException, InterruptedException {
    JsonObject line = new JsonObject();
    Peaks peaks = new Peaks(settings.peaks(), group);
    StepMeasurement step = StepMeasurement.of(group, rows, repeat, peaks);
    step.describe(settings, line);
    describeMemory(group.ranks(), line);
    line.addProperty("connect_seconds", Numbers.rounded(group.start().connected()));
    line.addProperty("ready_seconds", Numbers.rounded(group.start().ready()));
    line.addProperty("first_step_seconds", Numbers.rounded(step.first()));
    line.addProperty("cpu", HostIdentity.cpuModel());
    line.addProperty("kernels", group.kernels());
    line.addProperty("mpi", group.mpi());
    return new Measured(line, step.report());
  }

  /** Throws where a result is not what it has to be. */
  Verification verify(List<List<Sample>> rows, StepResult measured, StepResult reference) {
    Verification verification =
        new Verification(
            rows.stream().mapToInt(List::size).sum(),
            measured,
            reference,
            settings.config().model().precision());
    verification.require();
    return verification;
  }

  private static void describeMemory(LocalRanks ranks, JsonObject line) throws IOException {
    JsonArray proportional = new JsonArray();
    JsonArray own = new JsonArray();
    for (int rank = 0; rank < ranks.count(); rank++) {
      ProcessMemory memory = ProcessMemory.of(ranks.pid(rank));
      if (rank == 0) {
        line.addProperty("rss_gib", Numbers.rounded(memory.resident() / GIB));
      }
      proportional.add(Numbers.rounded(memory.proportional() / GIB));
      own.add(Numbers.rounded(memory.own() / GIB));
    }
    line.add("pss_gib", proportional);
    line.add("private_gib", own);
  }
}
