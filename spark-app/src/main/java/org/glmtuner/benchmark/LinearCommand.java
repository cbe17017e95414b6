package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import org.glmtuner.data.Sample;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code linear}: whether cost grows with tokens and layers as it should. */
@Command(
    name = "linear",
    description = {
      "Measures steps of more and more tokens, then of more and more layers. A line of JSON for each step, and one for each",
      "series: tokens_per_second_spread is by how much the fastest rate exceeds the slowest, line_deviation by how",
      "much the seconds of a number of layers differ from a straight line through those of the first and the last. The",
      "smallest step of each series is verified."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class LinearCommand implements Callable<Integer> {
  @Mixin private final StepOptions options = new StepOptions(2, 8192, 4, 2);

  @Option(
      names = "--tokens",
      split = ",",
      description = "Tokens of each rank in a step, at --layers (default: 256 to 4096).")
  private List<Integer> tokens = List.of(256, 512, 1024, 2048, 4096);

  @Option(
      names = "--depths",
      split = ",",
      description = "Numbers of layers, at --rows (default: 8,16,28).")
  private List<Integer> depths = List.of(8, 16, 28);

  @Option(names = "--series", description = "tokens, depths or both (default: both).")
  private Series series = Series.BOTH;

  /** What grows. */
  enum Series {
    TOKENS,
    DEPTHS,
    BOTH
  }

  @Override
  public Integer call() throws Exception {
    if (series != Series.DEPTHS) {
      byTokens();
    }
    if (series != Series.TOKENS) {
      byDepth();
    }
    return 0;
  }

  private void byTokens() throws IOException, InterruptedException {
    Settings settings = options.settings();
    TokenRows rows = TokenRows.read(options.data(), settings.model());
    List<Double> rates = new ArrayList<>();
    StepRun run = new StepRun(settings);
    List<List<Sample>> smallest = List.of();
    StepResult result = null;
    try (TrainingGroup group = TrainingGroup.start(settings, run.weights())) {
      for (int budget : tokens) {
        List<List<Sample>> dealt =
            rows.dealtByTokens(settings.group().ranks(), Positive.check("--tokens", budget));
        StepMeasurement step = measure(settings, group, dealt);
        rates.add(step.tokensPerSecond());
        if (verifies(budget, tokens)) {
          smallest = dealt;
          result = group.result(step.report());
        }
      }
      group.finish();
    }
    verify(run, smallest, result);
    JsonObject line = new JsonObject();
    double spread = Collections.max(rates) / Collections.min(rates) - 1;
    line.addProperty("tokens_per_second_spread", Numbers.rounded(spread));
    System.out.println(line);
  }

  private void byDepth() throws IOException, InterruptedException {
    List<Double> seconds = new ArrayList<>();
    for (int depth : depths) {
      Settings settings = options.settings(depth);
      TokenRows rows = TokenRows.read(options.data(), settings.model());
      StepRun run = new StepRun(settings);
      List<List<Sample>> dealt = rows.dealt(settings.group().ranks(), options.rows());
      StepResult result = null;
      try (TrainingGroup group = TrainingGroup.start(settings, run.weights())) {
        StepMeasurement step = measure(settings, group, dealt);
        seconds.add(step.seconds());
        if (verifies(depth, depths)) {
          result = group.result(step.report());
        }
        group.finish();
      }
      verify(run, dealt, result);
    }
    JsonObject line = new JsonObject();
    line.addProperty("line_deviation", Numbers.rounded(lineDeviation(depths, seconds)));
    System.out.println(line);
  }

  /** Whether this one of a series is computed twice: the smallest. */
  private boolean verifies(int size, List<Integer> series) {
    return options.verify() != Verification.Extent.NONE && size == Collections.min(series);
  }

  /** Prints the verification of a result, if it is to be computed twice. */
  private static void verify(StepRun run, List<List<Sample>> rows, StepResult result)
      throws IOException, InterruptedException {
    if (result != null) {
      JsonObject line = new JsonObject();
      line.add("verification", run.verify(rows, result, run.reference(rows)).toJson());
      System.out.println(line);
    }
  }

  private StepMeasurement measure(Settings settings, TrainingGroup group, List<List<Sample>> rows)
      throws IOException, InterruptedException {
    Peaks peaks = new Peaks(settings.peaks(), group);
    StepMeasurement step = StepMeasurement.of(group, rows, options.repeat(), peaks);
    JsonObject line = new JsonObject();
    step.describe(settings, line);
    System.out.println(line);
    return step;
  }

  /** The largest relative difference to the line through the first and the last point. */
  static double lineDeviation(List<Integer> depths, List<Double> seconds) {
    int last = depths.size() - 1;
    double slope = (seconds.get(last) - seconds.get(0)) / (depths.get(last) - depths.get(0));
    double most = 0;
    for (int i = 1; i < last; i++) {
      double expected = seconds.get(0) + slope * (depths.get(i) - depths.get(0));
      most = Math.max(most, Math.abs(seconds.get(i) / expected - 1));
    }
    return most;
  }
}
