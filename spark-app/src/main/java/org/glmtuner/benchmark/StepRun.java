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

  /** The result as one object. */
  JsonObject run(List<List<Sample>> rows, int repeat, Verification.Extent verify)
      throws IOException, InterruptedException {
    JsonObject line = new JsonObject();
    List<List<Sample>> again = Verification.select(rows, verify);
    StepReport measured = null;
    try (TrainingGroup group = TrainingGroup.start(settings, weights)) {
      FmaPeak peak = new FmaPeak(settings.fmaPeak(), group.ranks().cpus());
      StepMeasurement step = StepMeasurement.of(group, rows, repeat, peak);
      step.describe(settings, line);
      describeMemory(group.ranks(), line);
      line.addProperty("connect_seconds", Numbers.rounded(group.start().connected()));
      line.addProperty("ready_seconds", Numbers.rounded(group.start().ready()));
      line.addProperty("first_step_seconds", Numbers.rounded(step.first()));
      line.addProperty("cpu", HostIdentity.cpuModel());
      line.addProperty("kernels", group.kernels());
      if (verify != Verification.Extent.NONE) {
        measured = group.step(again).get(0);
      }
      group.finish();
    }
    if (measured != null) {
      Verification verification = Verification.run(settings, weights, again, measured);
      verification.require();
      line.add("verification", verification.toJson());
    }
    return line;
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
