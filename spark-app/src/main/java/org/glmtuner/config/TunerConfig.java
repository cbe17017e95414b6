package org.glmtuner.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The whole configuration of a run, every value present and in its range. */
public record TunerConfig(
    RunConfig run,
    ModelConfig model,
    PrefixConfig prefix,
    DataConfig data,
    TrainingConfig training,
    GenerationConfig generation,
    RanksConfig ranks,
    EngineConfig engine,
    MpiConfig mpi,
    MemoryConfig memory,
    CacheConfig cache,
    Effective effective)
    implements Serializable {

  /**
   * The merged configuration as text, for the run directory.
   *
   * @param rendered HOCON that loads to the same values
   * @param identity the keys that decide what is computed, with their values: two attempts continue
   *     one run iff these are equal
   */
  public record Effective(String rendered, SortedMap<String, String> identity)
      implements Serializable {}

  /** Groups and keys that change nothing of what is computed. */
  private static final List<String> OPERATIONAL =
      List.of(
          "run.directory",
          "run.id",
          "generation",
          "ranks",
          "engine",
          "mpi",
          "memory",
          "cache",
          "training.micro-batch-tokens",
          "training.log-every",
          "training.checkpoint-every",
          "training.keep-checkpoints",
          "training.max-non-finite-steps",
          "data.max-rejected-share");

  /**
   * Reads all groups.
   *
   * @param config every key of {@code reference}, and no other
   * @param problems receives a sentence for each value that cannot be used
   */
  static TunerConfig read(Config config, Config reference, List<String> problems) {
    RunConfig run = RunConfig.read(new Section(config, "run", problems));
    ModelConfig model = ModelConfig.read(new Section(config, "model", problems));
    PrefixConfig prefix = PrefixConfig.read(new Section(config, "prefix", problems));
    DataConfig data = DataConfig.read(new Section(config, "data", problems));
    TrainingConfig training = TrainingConfig.read(new Section(config, "training", problems));
    checkValidation(data, training.validation(), problems);
    GenerationConfig generation =
        GenerationConfig.read(new Section(config, "generation", problems));
    RanksConfig ranks = RanksConfig.read(new Section(config, "ranks", problems));
    EngineConfig engine = EngineConfig.read(new Section(config, "engine", problems));
    MpiConfig mpi = MpiConfig.read(new Section(config, "mpi", problems));
    MemoryConfig memory = MemoryConfig.read(new Section(config, "memory", problems));
    CacheConfig cache = CacheConfig.read(new Section(config, "cache", problems));
    Effective effective =
        new Effective(
            rendered(config, training.length().epochs() > 0),
            problems.isEmpty() ? identity(config, reference) : new TreeMap<>());
    return new TunerConfig(
        run,
        model,
        prefix,
        data,
        training,
        generation,
        ranks,
        engine,
        mpi,
        memory,
        cache,
        effective);
  }

  /** The same with other ranks, for what keeps no record of its configuration. */
  public TunerConfig withRanks(RanksConfig other) {
    return new TunerConfig(
        run,
        model,
        prefix,
        data,
        training,
        generation,
        other,
        engine,
        mpi,
        memory,
        cache,
        effective);
  }

  private static void checkValidation(
      DataConfig data, TrainingConfig.Validation validation, List<String> problems) {
    if (validation.every() > 0 && data.validation().isEmpty()) {
      problems.add(
          "Invalid training.eval-every: " + validation.every() + " (it needs data.validation)");
    }
    if (validation.patience() > 0 && validation.every() == 0) {
      problems.add(
          "Invalid training.early-stop-patience: "
              + validation.patience()
              + " (it counts the measurements of training.eval-every, which is 0)");
    }
  }

  private static String rendered(Config config, boolean byEpochs) {
    ConfigRenderOptions options =
        ConfigRenderOptions.defaults().setOriginComments(false).setComments(false).setJson(false);
    return config
        .withoutPath(byEpochs ? "training.max-steps" : "training.epochs")
        .root()
        .render(options);
  }

  private static SortedMap<String, String> identity(Config config, Config reference) {
    SortedMap<String, String> result = new TreeMap<>();
    Config deciding = reference;
    for (String path : OPERATIONAL) {
      deciding = deciding.withoutPath(path);
    }
    for (Map.Entry<String, ConfigValue> entry : deciding.entrySet()) {
      String key = entry.getKey();
      boolean number = entry.getValue().valueType() == ConfigValueType.NUMBER;
      result.put(key, number ? Double.toString(config.getDouble(key)) : config.getString(key));
    }
    return result;
  }
}
