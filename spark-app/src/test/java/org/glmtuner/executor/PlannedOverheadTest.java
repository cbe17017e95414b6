package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.RankMemory;
import org.glmtuner.planning.HostPlan;
import org.glmtuner.planning.ModelSizes;
import org.glmtuner.planning.Plan;
import org.glmtuner.planning.PlanRequest;
import org.glmtuner.planning.Planner;
import org.glmtuner.planning.SampleSizes;
import org.glmtuner.planning.Speeds;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.Hosts;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code plan} tells people to give executors on YARN is what a run asks of their hosts. */
class PlannedOverheadTest {
  private static final ModelSizes MODEL = ModelSizes.ofChatGlm6b(Precision.BF16);
  private static final int GIBI_IN_MEBI = 1024;

  @TempDir static Path cache;

  private static TunerConfig config(String keys) {
    Map<String, String> overrides =
        keys.isEmpty()
            ? Map.of()
            : Arrays.stream(keys.split(" ", -1))
                .map(key -> key.split("=", -1))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    return ConfigLoader.load("", "", overrides);
  }

  private static Plan plan(TunerConfig config, String mode) throws Exception {
    String name = "/topologies/xeonmax9462-snc4-" + mode + ".xml";
    Path file = Path.of(PlannedOverheadTest.class.getResource(name).toURI());
    return Planner.plan(
        new PlanRequest(
            config,
            new HostPlan(HostTopology.ofFile(cache, file), "as a test has it", 1),
            MODEL,
            SampleSizes.longest(config.data()),
            new Speeds(
                new Rate(100e9, "given"),
                Optional.empty(),
                Optional.empty(),
                Speeds.SHARED_MEMORY,
                Speeds.TEN_GIGABIT)));
  }

  /** As the tasks of a run on YARN decide, all of whose ranks are in one container. */
  private static int tokensOfRun(Plan plan, TunerConfig config, String overhead) {
    SparkConf spark = new SparkConf(false).set("spark.master", "yarn");
    plan.spark().conf().forEach(spark::set);
    spark.set("spark.executor.memoryOverhead", overhead);
    List<MemoryLimit> limits = List.of(FreeMemory.yarn(spark, "1").orElseThrow());
    RankPlan ranks =
        RankPlan.of(
            IntStream.range(0, plan.ranks().size())
                .mapToObj(
                    rank ->
                        new RankPlan.Facts(
                                rank, new HostIdentity("a", "a/1"), Hosts.group(0, rank), limits)
                            .encode())
                .toArray(String[]::new));
    int most = (config.training().globalBatch() + plan.ranks().size() - 1) / plan.ranks().size();
    SampleSizes samples = plan.request().samples();
    int threads = plan.ranks().get(0).cpus().threads();
    Prefix prefix = Prefix.of(config.prefix());
    return new MicroBatchMemory(
            new RankMemory(MODEL.shape(), prefix, Precision.BF16, threads),
            MODEL.weightBytes(),
            config.training().microBatchTokens(),
            new MicroBatchMemory.Samples(samples.longest(), samples.tokens(), most))
        .training(ranks, 0, rank -> plan.ranks().get(rank).placement().nodes())
        .tokens();
  }

  /** The value that is printed where the node managers count by mappings. */
  private static Optional<String> whereSharedIsNotCounted(Plan plan) {
    Function<String, String> value = line -> line.replaceAll(".*memoryOverhead=(\\d+g).*", "$1");
    return plan.toText().stream()
        .filter(line -> line.contains("and spark.executor.memoryOverhead="))
        .map(value)
        .findFirst();
  }

  @ParameterizedTest
  @CsvSource({
    "flat, '', false",
    "hbmonly, '', false",
    "hbmonly, training.micro-batch-tokens=4096 training.global-batch=512, true",
    "cache, '', true",
    "cache, memory.weights=shared, true",
    "cache, prefix.projection=true memory.weights=shared, true",
    "flat, ranks.count=16, true",
    "flat, ranks.count=1, false"
  })
  void aRunHasRoomWithThePlannedOverheadAndNotWithLess(String mode, String keys, boolean shared)
      throws Exception {
    TunerConfig config = config(keys);
    Plan plan = plan(config, mode);
    String overhead = plan.spark().conf().get("spark.executor.memoryOverhead");
    assertThat(tokensOfRun(plan, config, overhead)).isEqualTo(plan.step().budget());
    Optional<String> other = whereSharedIsNotCounted(plan);
    assertThat(other.isPresent()).isEqualTo(shared);
    String least = other.orElse(overhead);
    assertThat(tokensOfRun(plan, config, least)).isEqualTo(plan.step().budget());

    // Beyond what a run asks for, there are the heaps of ranks and Spark's own share, rounded up.
    int spare = (3 + plan.ranks().size()) * GIBI_IN_MEBI / 2;
    int less = Integer.parseInt(least.replace("g", "")) * GIBI_IN_MEBI - spare;
    assertThatThrownBy(() -> tokensOfRun(plan, config, less + "m"))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageStartingWith("Cannot fit the ranks into memory: the YARN container")
        .hasMessageContaining("on YARN spark.executor.memoryOverhead");
  }
}
