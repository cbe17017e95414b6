package org.glmtuner.benchmark;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.HostIdentity;
import org.glmtuner.executor.LocalRanks;
import org.glmtuner.executor.SumTimes;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code allreduce}: what the ranks of a step say to each other, without the step. */
@Command(
    name = "allreduce",
    description = {
      "Measures the sum of a prefix's gradient over all ranks, layer by layer as in a step, and that of a few values.",
      "Every sum is checked. Prints one line of JSON: seconds of the slowest rank to join the group and of each sum,",
      "and the gradient's bytes in a second."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class AllReduceCommand implements Callable<Integer> {
  @Option(names = "--layers", description = "L (default: ${DEFAULT-VALUE}).")
  private int layers = 28;

  @Option(names = "--prefix", description = "P, virtual tokens (default: ${DEFAULT-VALUE}).")
  private int prefix = 128;

  @Option(names = "--hidden", description = "H (default: ${DEFAULT-VALUE}).")
  private int hidden = 4096;

  @Mixin private final RankOptions options = new RankOptions();

  @Option(
      names = "--repeat",
      description = "Sums of each kind after one that warms up (default: ${DEFAULT-VALUE}).")
  private int repeat = 20;

  @Override
  public Integer call() throws Exception {
    int[] shape = {
      Positive.check("--layers", layers),
      2,
      Positive.check("--prefix", prefix),
      Positive.check("--hidden", hidden)
    };
    Positive.check("--repeat", repeat);
    TunerConfig config = ConfigLoader.load("", "", options.overrides());
    Settings.Group group = options.group();
    try (LocalRanks ranks =
        LocalRanks.open(config, options.topology(), group.ranks(), group.threads())) {
      SumTimes times = SumTimes.measure(ranks, shape, repeat);
      ranks.finish();
      System.out.println(line(group, shape, times));
    }
    return 0;
  }

  private JsonObject line(Settings.Group group, int[] shape, SumTimes times) throws IOException {
    double[] gradient = times.gradient();
    double[] few = times.few();
    JsonArray dimensions = new JsonArray();
    Arrays.stream(shape).forEach(dimensions::add);
    JsonObject line = new JsonObject();
    line.addProperty("mode", "allreduce");
    line.addProperty("ranks", group.ranks());
    line.addProperty("threads", group.threads());
    line.add("shape", dimensions);
    line.addProperty("join_seconds", Numbers.rounded(times.joining()));
    line.addProperty("bytes", times.bytes());
    line.addProperty("seconds", Numbers.rounded(gradient[0]));
    line.addProperty("seconds_median", Numbers.rounded(gradient[repeat / 2]));
    line.addProperty("gb_per_second", Numbers.rounded(times.bytes() / gradient[0] / 1e9));
    line.addProperty("small_sum_seconds", Numbers.rounded(few[0]));
    line.addProperty("small_sum_seconds_median", Numbers.rounded(few[repeat / 2]));
    line.addProperty("backend", times.backend());
    line.addProperty("library", times.library().lines().findFirst().orElse(""));
    line.addProperty("cpu", HostIdentity.cpuModel());
    return line;
  }
}
