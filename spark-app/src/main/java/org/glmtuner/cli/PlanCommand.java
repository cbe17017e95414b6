package org.glmtuner.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.StoredSamples;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.planning.HostPlan;
import org.glmtuner.planning.ModelSizes;
import org.glmtuner.planning.Plan;
import org.glmtuner.planning.PlanRequest;
import org.glmtuner.planning.Planner;
import org.glmtuner.planning.SampleSizes;
import org.glmtuner.storage.Directory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code plan}: what a run would take of a cluster. */
@Command(
    name = "plan",
    description = {
      "Says what a run would take: ranks and their cores, memory by NUMA node, time, network, and options for spark-submit.",
      "For hosts like this one, or like one that a file describes. Reads no rows and starts no Spark job. Exit code 3 where the",
      "hosts can never run it."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
  private static final int MOST_HOSTS = 10_000;

  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;

  @Option(
      names = "--topology",
      paramLabel = "FILE",
      description =
          "A host as hwloc's lstopo writes it (XML), a local path; without it, this host.")
  private Path topology;

  @Option(names = "--hosts", paramLabel = "N", description = "So many such hosts; 1 without it.")
  private int hosts = 1;

  @Option(
      names = "--tokens-per-sample",
      paramLabel = "TOKENS",
      description = {
        "Tokens of a sample on average. Without it, the mean of the samples that run.directory has already;",
        "without these, as many as the configuration allows."
      })
  private Double tokensPerSample;

  @Option(
      names = "--samples",
      paramLabel = "N",
      description = "How many samples data.train has, for training.epochs.")
  private Long samples;

  @Option(
      names = "--assume-chatglm-6b",
      description =
          "Takes the sizes of ChatGLM-6B instead of reading model.path, as without a model.path.")
  private boolean assumed;

  @Mixin private SpeedOptions speeds;
  @Mixin private OutputOption output;

  @Option(names = "--json", description = "One JSON object instead of text.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    return main.withoutSpark("plan", this::plan);
  }

  private int plan() throws IOException, InterruptedException {
    if (hosts < 1 || hosts > MOST_HOSTS) {
      throw TunerException.invalid("Invalid --hosts: " + hosts + " (1 to " + MOST_HOSTS + ")");
    }
    TunerConfig config = options.load(ConfigOptions.IMPATIENT);
    try (OutputLines lines = output.open()) {
      HostPlan host = host(config.cache().path());
      Plan plan =
          Planner.plan(
              new PlanRequest(
                  config,
                  host,
                  model(config),
                  sizes(config),
                  speeds.speeds(config, host, topology == null, main.cancellation())));
      (json ? List.of(plan.toJson()) : plan.toText()).forEach(lines::write);
      lines.finish(closing(plan));
    }
    return 0;
  }

  private HostPlan host(Path cache) throws IOException, InterruptedException {
    return topology == null
        ? new HostPlan(HostTopology.read(cache), "like this one", hosts)
        : new HostPlan(
            HostTopology.ofFile(cache, topology),
            "as " + topology.getFileName() + " describes",
            hosts);
  }

  private ModelSizes model(TunerConfig config) throws IOException {
    Precision precision = config.model().precision();
    String path = config.model().path();
    if (assumed || path.isEmpty()) {
      return ModelSizes.ofChatGlm6b(precision);
    }
    Directory directory = Directory.ofConfigured(path);
    if (!directory.contains(ChatGlmConfig.FILE)) {
      throw TunerException.damaged(
          "Cannot read "
              + directory.locate(ChatGlmConfig.FILE)
              + ": there is no such file (model.path; --assume-chatglm-6b plans without it)");
    }
    return ModelSizes.of(ChatGlmConfig.read(directory), precision, directory.location());
  }

  private SampleSizes sizes(TunerConfig config) throws IOException {
    SampleSizes sizes;
    if (tokensPerSample == null) {
      Optional<SampleSizes> stored = StoredSamples.sizes(config);
      sizes = stored.orElseGet(() -> SampleSizes.longest(config.data()));
    } else if (tokensPerSample >= 2 && tokensPerSample < 1 << 20) {
      sizes = SampleSizes.given(tokensPerSample, config.data());
    } else {
      throw TunerException.invalid(
          "Invalid --tokens-per-sample: " + tokensPerSample + " (2 or more)");
    }
    if (samples != null && samples < 1) {
      throw TunerException.invalid("Invalid --samples: " + samples + " (1 or more)");
    }
    return samples == null ? sizes : sizes.counted(samples);
  }

  private static JsonObject closing(Plan plan) {
    JsonObject line = new JsonObject();
    line.addProperty("status", "finished");
    line.addProperty("world_size", plan.ranks().size());
    line.addProperty("step_seconds", plan.step().time().total());
    line.addProperty("limit", plan.step().limit().label());
    line.addProperty("warnings", plan.warnings().size());
    return line;
  }
}
