package org.glmtuner.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueType;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class ConfigLoaderTest {
  private static final String EVERY_KEY =
      """
      run { directory = "hdfs:///runs/a", id = b, seed = 7 }
      model { path = /models/glm, precision = fp32 }
      prefix { length = 8, projection = true, init-from = /prefix }
      data {
        format = tokens, train = t, validation = v, prompt-column = p, response-column = r, history-column = h
        source-prefix = s, empty-history = raw, truncation = oldest, special-tokens = official
        max-source-length = 10, max-target-length = 11, max-rejected-share = 0.5, shuffle = false
      }
      training {
        epochs = 2, global-batch = 4, micro-batch-tokens = 99, learning-rate = 0.5, weight-decay = 0.25, clip-norm = 2
        prefix-dropout = 0.3, loss-average = token, max-non-finite-steps = 1, eval-every = 6, early-stop-patience = 7, log-every = 2, checkpoint-every = 3, keep-checkpoints = 4
      }
      generation {
        do-sample = true, temperature = 0.5, top-k = 3, top-p = 0.25, repetition-penalty = 1.5, seed = 9, max-new-tokens = 33
        batch-size = 2, text = chat
      }
      ranks { count = 2, cores = 1, wait = 5s, memory = 256m, java-home = /jdk, java-options = [-Xint], heartbeat-timeout = 9s,
        clusters = cache, per-cluster = 3, reserve-cores = 4, smt = true, across-clusters = true, require-binding = true, claims = /claims }
      engine.isa = avx2
      mpi {
        library = /libmpi.so.12, interface = eth1, port-range = 50000-50010, environment { FI_PROVIDER = tcp }
        presets { mpich { UCX_TLS = tcp }, intel { FI_PROVIDER = "" }, other { X = "{root}" } }
      }
      memory { weights = per-cluster, kind = hbm }
      cache.directory = /cache
      """;

  private static TunerConfig load(String text) {
    return ConfigLoader.load(text, "test.conf", Map.of());
  }

  @Test
  void defaultsAreThoseOfTheReference() {
    TunerConfig config = load("");
    assertThat(config.run()).isEqualTo(new RunConfig("", "", 42));
    assertThat(config.model()).isEqualTo(new ModelConfig("", Precision.BF16));
    assertThat(config.prefix()).isEqualTo(new PrefixConfig(128, false, ""));
    assertThat(config.data())
        .isEqualTo(
            new DataConfig(
                DataConfig.Format.AUTO,
                "",
                "",
                new DataConfig.Columns("prompt", "response", "", ""),
                new DataConfig.Texts(
                    DataConfig.EmptyHistory.OFFICIAL,
                    DataConfig.Truncation.OFFICIAL,
                    DataConfig.SpecialTokens.TEXT),
                64,
                64,
                0.01,
                true));
    assertThat(config.training())
        .isEqualTo(
            new TrainingConfig(
                new TrainingConfig.Length(3000, 0),
                16,
                new MicroBatchTokens.Given(1024),
                new TrainingConfig.Optimizer(0.02, 0, 1),
                0.1,
                TrainingConfig.LossAverage.SAMPLE,
                3,
                new TrainingConfig.Validation(0, 0),
                new TrainingConfig.Intervals(10, 1000, 3)));
    assertThat(config.generation())
        .isEqualTo(
            new GenerationConfig(
                new GenerationConfig.Sampling(false, 0.95, 50, 0.7, 1, 42),
                0,
                8,
                GenerationConfig.Text.PLAIN));
    assertThat(config.generation().maxNewTokens(config.data())).isEqualTo(64);
    assertThat(config.ranks())
        .isEqualTo(
            new RanksConfig(
                0,
                0,
                Duration.ofMinutes(10),
                new RanksConfig.Jvm(512L << 20, "", List.of()),
                Duration.ofSeconds(15),
                new RanksConfig.Pinning(
                    0,
                    RanksConfig.Clusters.NUMA,
                    false,
                    0,
                    false,
                    false,
                    "/var/tmp/glm-tuner-cpus.lock")));
    assertThat(config.engine()).isEqualTo(new EngineConfig(EngineConfig.Isa.AUTO));
    assertThat(config.mpi().library()).isEmpty();
    assertThat(config.mpi().network()).isEqualTo(new MpiConfig.Network("", PortRange.ANY));
    assertThat(config.mpi().environment()).isEmpty();
    assertThat(config.mpi().presets().mpich().variables())
        .containsEntry("UCX_NET_DEVICES", "{interface}");
    assertThat(config.mpi().presets().intel().variables())
        .containsEntry("I_MPI_PIN", "off")
        .containsEntry("I_MPI_FABRICS", "shm:ofi");
    assertThat(config.mpi().presets().other().variables()).isEmpty();
    assertThat(config.memory())
        .isEqualTo(new MemoryConfig(MemoryConfig.Weights.AUTO, MemoryConfig.Kind.AUTO));
    assertThat(config.cache()).isEqualTo(new CacheConfig(""));
  }

  @Test
  void everyKeyReachesItsComponent() {
    TunerConfig config = load(EVERY_KEY);
    assertThat(config.run()).isEqualTo(new RunConfig("hdfs:///runs/a", "b", 7));
    assertThat(config.model()).isEqualTo(new ModelConfig("/models/glm", Precision.FP32));
    assertThat(config.prefix()).isEqualTo(new PrefixConfig(8, true, "/prefix"));
    assertThat(config.data())
        .isEqualTo(
            new DataConfig(
                DataConfig.Format.TOKENS,
                "t",
                "v",
                new DataConfig.Columns("p", "r", "h", "s"),
                new DataConfig.Texts(
                    DataConfig.EmptyHistory.RAW,
                    DataConfig.Truncation.OLDEST,
                    DataConfig.SpecialTokens.OFFICIAL),
                10,
                11,
                0.5,
                false));
    assertThat(config.training())
        .isEqualTo(
            new TrainingConfig(
                new TrainingConfig.Length(3000, 2),
                4,
                new MicroBatchTokens.Given(99),
                new TrainingConfig.Optimizer(0.5, 0.25, 2),
                0.3,
                TrainingConfig.LossAverage.TOKEN,
                1,
                new TrainingConfig.Validation(6, 7),
                new TrainingConfig.Intervals(2, 3, 4)));
    assertThat(config.generation())
        .isEqualTo(
            new GenerationConfig(
                new GenerationConfig.Sampling(true, 0.5, 3, 0.25, 1.5, 9),
                33,
                2,
                GenerationConfig.Text.CHAT));
    assertThat(config.generation().maxNewTokens(config.data())).isEqualTo(33);
    assertThat(config.ranks())
        .isEqualTo(
            new RanksConfig(
                2,
                1,
                Duration.ofSeconds(5),
                new RanksConfig.Jvm(256L << 20, "/jdk", List.of("-Xint")),
                Duration.ofSeconds(9),
                new RanksConfig.Pinning(
                    3, RanksConfig.Clusters.CACHE, true, 4, true, true, "/claims")));
    assertThat(config.engine()).isEqualTo(new EngineConfig(EngineConfig.Isa.AVX2));
    assertThat(config.mpi().library()).isEqualTo("/libmpi.so.12");
    assertThat(config.mpi().network())
        .isEqualTo(new MpiConfig.Network("eth1", new PortRange(50000, 50010)));
    assertThat(config.mpi().environment()).isEqualTo(Map.of("FI_PROVIDER", "tcp"));
    assertThat(config.mpi().presets().mpich().variables())
        .containsEntry("UCX_TLS", "tcp")
        .containsEntry("UCX_NET_DEVICES", "{interface}");
    assertThat(config.mpi().presets().intel().variables()).containsEntry("FI_PROVIDER", "");
    assertThat(config.mpi().presets().other().variables()).isEqualTo(Map.of("X", "{root}"));
    assertThat(config.memory())
        .isEqualTo(new MemoryConfig(MemoryConfig.Weights.PER_CLUSTER, MemoryConfig.Kind.HBM));
    assertThat(config.cache()).isEqualTo(new CacheConfig("/cache"));
  }

  @Test
  void everyKeyOfTheReferenceIsCoveredByThePairAbove() {
    Config given = com.typesafe.config.ConfigFactory.parseString(EVERY_KEY);
    assertThat(ConfigLoader.reference().entrySet())
        .allSatisfy(
            entry -> {
              if (!entry.getKey().equals("training.max-steps") // excludes training.epochs
                  && !entry.getKey().startsWith("mpi.presets.")) { // names are free
                assertThat(given.hasPath(entry.getKey())).as(entry.getKey()).isTrue();
              }
              assertThat(entry.getValue().valueType()).isNotEqualTo(ConfigValueType.NULL);
            });
    assertThat(load("training.max-steps = 5").training().length())
        .isEqualTo(new TrainingConfig.Length(5, 0));
  }

  @Test
  void allProblemsAreReportedAtOnceWithSuggestions() {
    assertThatThrownBy(
            () ->
                load(
                    """
                    training { global_batch = 4, learning-rate = fast, prefix-dropout = 1 }
                    modle.path = /x
                    cache = 3
                    run.id { }
                    retry.backoff = 5s
                    memory.weights = per_cluster
                    ranks.claims = cpus.lock
                    engine.isa = avx9
                    """))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessage(
            """
            Invalid configuration test.conf:
              Invalid key cache (there is no such key)
              Invalid key modle.path (there is no such key) (did you mean model.path?)
              Invalid key retry.backoff (this version does not have it yet)
              Invalid key training.global_batch (there is no such key) (did you mean training.global-batch?)
              Invalid run.id: {} (has type OBJECT rather than STRING)
              Invalid training.learning-rate: fast (has type STRING rather than NUMBER)
              Invalid training.prefix-dropout: 1.0 (a number from 0.0 to below 1.0)
              Invalid ranks.claims: cpus.lock (an absolute path)
              Invalid engine.isa: avx9 (one of auto, generic, avx2, avx512, avx512bf16, amx)
              Invalid memory.weights: per_cluster (one of auto, shared, per-cluster)""");
  }

  @Test
  void aMicroBatchHasANumberOfTokensOrTakesWhatMemoryThereIs() {
    assertThat(load("training.micro-batch-tokens = auto").training().microBatchTokens())
        .isEqualTo(new MicroBatchTokens.Auto());
    assertThatThrownBy(() -> load("training.micro-batch-tokens = 0"))
        .hasMessageContaining(
            "Invalid training.micro-batch-tokens: 0 (a whole number from 1 to 16777216 or auto)");
    assertThatThrownBy(() -> load("training.micro-batch-tokens = much"))
        .hasMessageContaining("Invalid training.micro-batch-tokens: much");
  }

  @Test
  void stepsAndEpochsTogetherAreRefused() {
    assertThatThrownBy(() -> load("training { max-steps = 5, epochs = 1 }"))
        .hasMessageContaining("Invalid training.epochs: training.max-steps is given too");
  }

  @Test
  void generationDecidesNothingOfATrainingRun() {
    assertThat(load("generation { do-sample = true, seed = 1 }").effective().identity())
        .isEqualTo(load("").effective().identity());
  }

  @Test
  void samplingHasItsRanges() {
    assertThatThrownBy(
            () -> load("generation { temperature = 0, top-p = 0, top-k = -1, batch-size = 0 }"))
        .hasMessageContainingAll(
            "Invalid generation.temperature: 0.0 (a number from 0.01 to below 100.0)",
            "Invalid generation.top-p: 0.0 (a number above 0 up to 1.0)",
            "Invalid generation.top-k: -1 (a whole number from 0 to 1048576)",
            "Invalid generation.batch-size: 0 (a whole number from 1 to 512)");
    assertThatThrownBy(() -> load("generation { top-p = 1.5, text = html }"))
        .hasMessageContainingAll(
            "Invalid generation.top-p: 1.5 (a number above 0 up to 1.0)",
            "Invalid generation.text: html (one of plain, chat)");
  }

  @Test
  void mpiTakesALibraryThatCanBeFoundAndPortsThatExist() {
    assertThat(load("mpi.library = intel").mpi().library()).isEqualTo("intel");
    for (String ports : List.of("80", "100-99", "0-10", "1-65536", "a-b")) {
      assertThatThrownBy(() -> load("mpi.port-range = \"" + ports + "\""))
          .hasMessageContaining(
              "Invalid mpi.port-range: "
                  + ports
                  + " (empty, or two ports from 1 to 65535 such as 50000-50100)");
    }
    assertThatThrownBy(
            () ->
                load(
                    "mpi { library = libmpi.so, presets { intel { A = \"{rot}\" }, cray {B = 1} } }"))
        .hasMessageContainingAll(
            "Invalid mpi.library: libmpi.so (empty, intel, mpich or an absolute path)",
            "Invalid mpi.presets.intel.A: {rot} (known are {interface}, {port-range}, {first-port}, ",
            "Invalid key mpi.presets.cray.B (there is no such key)");
  }

  @Test
  void nullAndBrokenSyntaxAreRefused() {
    assertThatThrownBy(() -> load("run.id = null"))
        .hasMessageContaining("Invalid run.id: null (a value is needed)");
    assertThatThrownBy(() -> load("run { id = "))
        .isInstanceOf(TunerException.class)
        .hasMessageStartingWith("Cannot read the configuration: test.conf:");
  }

  @Test
  void overridesWinAndNeedNoQuotes() {
    TunerConfig config =
        ConfigLoader.load(
            "training.global-batch = 8",
            "test.conf",
            Map.of(
                "training.global-batch", "4",
                "data.train", "hdfs://name:8020/a//b.json",
                "ranks.java-options", "[-Xint, -Xbatch]",
                "mpi.environment.FI_PROVIDER", "tcp"));
    assertThat(config.training().globalBatch()).isEqualTo(4);
    assertThat(config.data().train()).isEqualTo("hdfs://name:8020/a//b.json");
    assertThat(config.ranks().jvm().options()).containsExactly("-Xint", "-Xbatch");
    assertThat(config.mpi().environment()).containsEntry("FI_PROVIDER", "tcp");
  }

  @Test
  void runIdIsTheLastNameOfTheDirectory() {
    assertThat(load("run.directory = \"hdfs:///runs/tune-1/\"").run().id()).isEqualTo("tune-1");
  }

  @Test
  void theEffectiveConfigurationLoadsToTheSameValues() {
    for (TunerConfig config : List.of(load(EVERY_KEY), load(""))) {
      TunerConfig again = ConfigLoader.load(config.effective().rendered(), "run.conf", Map.of());
      assertThat(again).isEqualTo(config);
    }
  }

  @Test
  void identityIgnoresHowANumberIsWrittenAndWhatDoesNotDecideTheResult() {
    TunerConfig first = load("training.learning-rate = 2e-2, ranks.count = 1, run.directory = /a");
    TunerConfig second =
        ConfigLoader.load(
            "ranks.count = 2, engine.isa = generic, run.directory = /b",
            "",
            Map.of("training.learning-rate", "0.02"));
    assertThat(first.effective().identity()).isEqualTo(second.effective().identity());
    assertThat(load("run.seed = 1").effective().identity())
        .isNotEqualTo(first.effective().identity());
  }

  @Test
  void aDurationNeedsItsUnitAndAWholeNumberNoFraction() {
    assertThatThrownBy(
            () ->
                load(
                    "ranks { wait = 30, heartbeat-timeout = 2s, count = 1.5 }, training.max-steps = 3.0"))
        .hasMessageContainingAll(
            "Invalid ranks.wait: 30 (a duration with its unit such as 30s or 10m, at least 1s)",
            "Invalid ranks.heartbeat-timeout: 2s (a duration with its unit such as 30s or 10m, at least 3s)",
            "Invalid ranks.count: 1.5 (a whole number from 0 to 65536)")
        .message()
        .doesNotContain("max-steps");
  }

  @Test
  void measuringNeedsRowsAndStoppingNeedsMeasuring() {
    assertThatThrownBy(() -> load("training { eval-every = 5 }"))
        .hasMessageContaining("Invalid training.eval-every: 5 (it needs data.validation)");
    assertThatThrownBy(() -> load("training { early-stop-patience = 2 }"))
        .hasMessageContaining(
            "Invalid training.early-stop-patience: 2 (it counts the measurements of training.eval-every, which is 0)");
  }
}
