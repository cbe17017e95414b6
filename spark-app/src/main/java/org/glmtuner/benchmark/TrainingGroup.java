package org.glmtuner.benchmark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.LocalRanks;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.RandomWeights;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Entry;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.StepReport;
import org.glmtuner.wire.TrainAssignment;

/** Ranks that train a random prefix of a random base, step by step as they are told. */
final class TrainingGroup implements AutoCloseable {
  private static final long ENDLESS = 1L << 40;

  /**
   * How a group starts.
   *
   * @param connected seconds until all ranks had connected: the JVM runs
   * @param ready seconds until all could train: libraries loaded, weights mapped, group joined
   */
  record Start(double connected, double ready) {}

  private final LocalRanks ranks;
  private final Start start;
  private final Frame.Ready ready;
  private final int layers;
  private long steps;

  private TrainingGroup(LocalRanks ranks, Start start, Frame.Ready ready, int layers) {
    this.ranks = ranks;
    this.start = start;
    this.ready = ready;
    this.layers = layers;
  }

  /** Starts a group whose weight file is there already. */
  static TrainingGroup start(Settings settings, Path weights)
      throws IOException, InterruptedException {
    TunerConfig config = settings.config();
    int count = settings.group().ranks();
    int threads = settings.group().threads();
    ChatGlmConfig model = settings.model().config();
    BaseModel base =
        new BaseModel(
            weights.toString(),
            RandomWeights.fingerprint(model, config.run().seed()),
            new String(model.toJson(), StandardCharsets.UTF_8),
            threads,
            config.engine().isa(),
            RankPlacement.MAPPED);
    long begin = System.nanoTime();
    LocalRanks ranks = LocalRanks.open(config, settings.topology(), count, threads);
    try {
      double connected = (System.nanoTime() - begin) / 1e9;
      for (int rank = 0; rank < count; rank++) {
        TrainAssignment assignment =
            new TrainAssignment(
                ranks.membership(rank),
                base,
                ChatGlmConfig.Prefix.of(config.prefix()),
                "",
                "",
                ranks.snapshots(rank).toString(),
                config.training(),
                settings.microBatchTokens(),
                new TrainAssignment.Span(0, ENDLESS),
                config.run().seed());
        ranks.post(rank, new Frame.Train(assignment));
      }
      Frame.Ready first = (Frame.Ready) ranks.answers().get(0);
      double ready = (System.nanoTime() - begin) / 1e9;
      return new TrainingGroup(
          ranks, new Start(connected, ready), first, settings.model().layers());
    } catch (IOException | InterruptedException | RuntimeException e) {
      try {
        ranks.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  Start start() {
    return start;
  }

  /** What the ranks compute with. */
  String kernels() {
    return ready.kernels();
  }

  /** The MPI library's name and version. */
  String mpi() {
    return ready.library().lines().findFirst().orElse("");
  }

  LocalRanks ranks() {
    return ranks;
  }

  /**
   * One step. Dropout follows the sample's number, so that a step may be repeated.
   *
   * @param samples of each rank
   * @return of each rank
   */
  List<StepReport> step(List<List<Sample>> samples) throws InterruptedException {
    int total = samples.stream().mapToInt(List::size).sum();
    for (int rank = 0; rank < ranks.count(); rank++) {
      List<Entry> entries = new ArrayList<>();
      samples.get(rank).forEach(sample -> entries.add(new Entry(sample.id(), sample)));
      ranks.post(rank, new Frame.Step(steps, total, entries));
    }
    steps++;
    return ranks.answers().stream().map(frame -> ((Frame.StepDone) frame).report()).toList();
  }

  /**
   * The last step's gradient with its report.
   *
   * @throws TunerException (exit code 4) where the ranks have different ones
   */
  StepResult result(StepReport report) throws InterruptedException {
    List<float[]> gradient = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      for (int rank = 0; rank < ranks.count(); rank++) {
        ranks.post(rank, new Frame.ReadGradient(layer));
      }
      List<float[]> own =
          ranks.answers().stream().map(frame -> ((Frame.GradientRead) frame).values()).toList();
      for (float[] values : own) {
        if (!Arrays.equals(own.get(0), values)) {
          throw Agreement.refusal("the ranks have different gradients in layer " + layer);
        }
      }
      gradient.add(own.get(0));
    }
    return new StepResult(report, gradient);
  }

  /** Lets the ranks end in order. */
  void finish() throws InterruptedException {
    ranks.finish();
  }

  @Override
  public void close() throws IOException {
    ranks.close();
  }
}
