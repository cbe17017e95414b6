package org.glmtuner.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Percentage;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.placement.HostPlacement.Mode;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlannerTest {
  private static final Rate GIVEN = new Rate(100e9, "given");
  private static final Speeds SPEEDS =
      new Speeds(
          GIVEN, Optional.empty(), Optional.empty(), Speeds.SHARED_MEMORY, Speeds.TEN_GIGABIT);
  private static final Speeds WITH_READING =
      new Speeds(
          GIVEN,
          Optional.of(new Rate(20e9, "given")),
          Optional.empty(),
          Speeds.SHARED_MEMORY,
          Speeds.TEN_GIGABIT);
  private static final ModelSizes MODEL = ModelSizes.ofChatGlm6b(Precision.BF16);

  @TempDir static Path cache;
  private static Topology flat;
  private static Topology hbmOnly;
  private static Topology cacheMode;

  @BeforeAll
  static void readTopologies() throws Exception {
    flat = Machines.xeonMax("flat", cache);
    hbmOnly = Machines.xeonMax("hbmonly", cache);
    cacheMode = Machines.xeonMax("cache", cache);
  }

  private static Plan plan(Topology topology, String... keys) {
    return plan(topology, 1, keys);
  }

  private static Plan plan(Topology topology, int hosts, String... keys) {
    TunerConfig config = config(keys);
    return Planner.plan(
        new PlanRequest(
            config,
            new HostPlan(topology, "as a test has it", hosts),
            MODEL,
            SampleSizes.longest(config.data()),
            topology.memory().get(0).bandwidth() > 0 ? SPEEDS : WITH_READING));
  }

  private static TunerConfig config(String... keys) {
    Map<String, String> overrides = new HashMap<>();
    for (String key : keys) {
      overrides.put(key.substring(0, key.indexOf('=')), key.substring(key.indexOf('=') + 1));
    }
    return ConfigLoader.load("", "", overrides);
  }

  @Test
  void chatGlm6bIsKnown() {
    assertThat(MODEL.weightBytes() / 1e9).isCloseTo(12.35, within(0.01));
  }

  @Test
  void twoXeonMaxGetEightRanksOfEightCores() {
    Plan plan = plan(flat);
    assertThat(plan.ranks()).hasSize(8);
    assertThat(plan.ranks())
        .allSatisfy(
            rank -> {
              assertThat(rank.cpus().cpus()).hasSize(8);
              assertThat(rank.placement().nodes()).containsExactly(8 + rank.rank());
              assertThat(rank.memoryNode(flat)).isEqualTo(8 + rank.rank());
              assertThat(rank.cpus().socket()).isEqualTo(rank.rank() / 4);
            });
    assertThat(plan.coresLeft()).isZero();
    assertThat(plan.step().share()).isEqualTo(new StepShare(2, 256, 128, 1));
    assertThat(plan.warnings())
        .containsExactly(
            "Micro-batches are never full: a rank has about 256 tokens in a step, training.micro-batch-tokens is 1024; a greater training.global-batch would use weights once read for more tokens");
  }

  @Test
  void theJsonHasWhatProgramsLookFor() {
    Plan plan = plan(flat);
    JsonObject json = JsonParser.parseString(plan.toJson()).getAsJsonObject();
    assertThat(json.get("world_size").getAsInt()).isEqualTo(8);
    JsonObject rank = json.getAsJsonArray("ranks").get(7).getAsJsonObject();
    assertThat(rank.get("host").getAsInt()).isZero();
    assertThat(rank.get("cores").getAsInt()).isEqualTo(8);
    assertThat(rank.get("numa_node").getAsInt()).isEqualTo(7);
    assertThat(rank.get("memory").getAsLong()).isEqualTo(plan.ranks().get(7).memory());
    JsonObject weights = json.getAsJsonObject("weights");
    assertThat(weights.get("mode").getAsString()).isEqualTo("per-node");
    assertThat(weights.get("kind").getAsString()).isEqualTo("hbm");
    assertThat(weights.get("bytes").getAsLong()).isEqualTo(8 * MODEL.weightBytes());
    assertThat(weights.getAsJsonArray("nodes").toString()).isEqualTo("[8,9,10,11,12,13,14,15]");
    assertThat(json.get("step_seconds").getAsDouble()).isEqualTo(plan.step().time().total());
    assertThat(json.get("limit").getAsString()).isEqualTo("compute");
    assertThat(json.getAsJsonObject("host").get("hbm_mode").getAsString()).isEqualTo("flat");
  }

  @Test
  void theModesOfHbmDiffer() {
    Plan inFlat = plan(flat);
    assertThat(inFlat.placement().mode()).isEqualTo(Mode.PER_NODE);
    assertThat(inFlat.placement().kind()).isEqualTo(Kind.HBM);
    assertThat(inFlat.step().reading().perSecond()).isEqualTo(409.6e9);
    Plan inHbmOnly = plan(hbmOnly);
    assertThat(inHbmOnly.placement().kind()).isEqualTo(Kind.HBM);
    assertThat(inHbmOnly.step().reading().perSecond()).isEqualTo(409.6e9);
    Plan inCache = plan(cacheMode);
    assertThat(inCache.placement().kind()).isEqualTo(Kind.DRAM);
    assertThat(inCache.step().reading().perSecond()).isEqualTo(76.8e9);
    assertThat(inFlat.step().time().total()).isLessThan(inCache.step().time().total());
    assertThat(List.of(inFlat, inHbmOnly, inCache))
        .allSatisfy(plan -> assertThat(plan.ranks()).hasSize(8))
        .extracting(plan -> HbmMode.of(plan.request().host().topology()))
        .containsExactly(HbmMode.FLAT, HbmMode.HBM_ONLY, HbmMode.CACHE);
    assertThat(inCache.toText())
        .contains("HBM is in mode cache")
        .anyMatch(line -> line.startsWith("  flat      HBM and DDR are NUMA nodes"))
        .anyMatch(line -> line.startsWith("  hbm-only  there is no DDR"));
    assertThat(HbmMode.of(Machines.small(2, 1 << 30))).isEqualTo(HbmMode.NONE);
    assertThat(plan(Machines.small(2, 64L << 30)).toText()).noneMatch(line -> line.contains("HBM"));
  }

  @Test
  void readersOfOneCopyShareItsNodes() {
    Plan mapped = plan(cacheMode, "memory.weights=shared");
    assertThat(mapped.step().reading().perSecond()).isEqualTo(76.8e9 / 8);
    Plan pairs = plan(flat, "ranks.count=16", "memory.weights=per-cluster");
    assertThat(pairs.step().reading().perSecond()).isEqualTo(409.6e9 / 2);
    assertThat(pairs.spark().cores()).isEqualTo(4);
  }

  @Test
  void memoryThatIsReadFasterThanCoresReadIsNotCounted() {
    Speeds slow =
        new Speeds(
            GIVEN,
            Optional.of(new Rate(5e9, "measured")),
            Optional.empty(),
            Speeds.SHARED_MEMORY,
            Speeds.TEN_GIGABIT);
    PlanRequest request = plan(flat).request();
    Plan plan =
        Planner.plan(
            new PlanRequest(
                request.config(), request.host(), request.model(), request.samples(), slow));
    assertThat(plan.step().reading()).isEqualTo(new Rate(40e9, "measured"));
  }

  @Test
  void reservedCoresAreLeft() {
    Plan plan = plan(flat, "ranks.reserve-cores=1");
    assertThat(plan.ranks()).allSatisfy(rank -> assertThat(rank.cpus().cpus()).hasSize(7));
    assertThat(plan.coresLeft()).isEqualTo(8);
    assertThat(plan.spark().conf()).containsEntry("spark.executor.cores", "56");
  }

  @Test
  void aFullNodeIsTold() {
    assertThat(plan(Machines.small(2, 19_650_000_000L), "ranks.count=2").warnings())
        .anyMatch(
            warning ->
                warning.matches(
                    "NUMA node 0 has 19\\.\\d GB, 1[89]\\.\\d GB of which are planned: .*"));
  }

  @Test
  void ranksAreSpreadOverHosts() {
    Plan plan = plan(flat, 3, "ranks.count=8");
    assertThat(plan.ranks().stream().map(RankSpot::host)).containsExactly(0, 0, 0, 1, 1, 1, 2, 2);
    assertThat(plan.spark().conf())
        .containsEntry("spark.executor.instances", "3")
        .containsEntry("spark.executor.cores", "24");
    assertThat(plan.step().network().bytesPerHost()).isEqualTo(205_520_896);
    assertThat(plan.step().network().seconds()).isCloseTo(0.2055 / 1.25, within(1e-3));
  }

  @Test
  void moreRanksThanSeatsAreRefused() {
    assertThatThrownBy(() -> plan(flat, 2, "ranks.count=17", "ranks.cores=8"))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot place 9 ranks of 8 cores: there is room for 8 in 8 CPU clusters (8 of 8 cores) (ranks.count, ranks.cores, ranks.per-cluster, ranks.reserve-cores, ranks.across-clusters)");
  }

  @Test
  void weightsLargerThanTheHostAreRefused() {
    assertThatThrownBy(() -> plan(Machines.small(2, 14L << 30), "ranks.count=2"))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageMatching(
            "Cannot fit the ranks into memory: each host has 15\\.0 GB .*: 12\\.3 GB of the base, .* for each of 2 ranks .*");
  }

  @Test
  void unevenSharesAreTold() {
    assertThat(plan(flat, "training.global-batch=20").warnings())
        .contains(
            "Ranks wait for 17 % of the products' time: training.global-batch = 20 gives some of the 8 ranks 3 samples, others 2");
    assertThat(plan(flat, "training.global-batch=5").warnings())
        .contains("3 of 8 ranks have no sample in a step: training.global-batch is 5");
  }

  @Test
  void samplesLongerThanAMicroBatchAreTold() {
    assertThat(plan(flat, "training.micro-batch-tokens=100").warnings())
        .contains(
            "A sample may have 128 tokens, more than training.micro-batch-tokens = 100: such a one goes alone and takes more memory than other micro-batches");
  }

  @Test
  void yarnCountsMappedWeightsOnceForEachRank() {
    Plan mapped = plan(Machines.small(2, 64L << 30), "ranks.count=2");
    SparkSettings.Overheads overheads = mapped.spark().overheads();
    assertThat(overheads.resident() - overheads.unshared()).isEqualTo(2 * MODEL.weightBytes());
    assertThat(overheads.unshared() / 1e9)
        .isCloseTo(
            2 * (mapped.ranks().get(0).memory() / 1e9 + 0.537) + 0.352 + 0.403, within(0.01));
    assertThat(mapped.toText())
        .anyMatch(line -> line.contains(SparkSettings.SHARED_NOT_COUNTED + "=true"));
    SparkSettings.Overheads own = plan(flat).spark().overheads();
    assertThat(own.unshared()).isEqualTo(own.resident());
  }

  @Test
  void whatNothingTellsMustBeGiven() {
    PlanRequest request = plan(Machines.small(2, 64L << 30)).request();
    assertThatThrownBy(
            () ->
                Planner.plan(
                    new PlanRequest(
                        request.config(),
                        request.host(),
                        request.model(),
                        request.samples(),
                        SPEEDS)))
        .hasMessageStartingWith("Invalid arguments: --memory-gb-s is missing");
  }

  @Test
  void epochsNeedTheNumberOfSamples() {
    Plan unknown = plan(flat, "training.epochs=2");
    assertThat(unknown.run().steps()).isEmpty();
    assertThat(unknown.warnings()).anyMatch(warning -> warning.contains("--samples"));
    assertThat(unknown.toText()).noneMatch(line -> line.contains(" steps: "));
  }

  @Test
  void wantOfMemoryIsALimit() {
    Plan plan = plan(hbmOnly, "training.global-batch=512", "training.micro-batch-tokens=auto");
    assertThat(plan.step().limit()).isEqualTo(Limit.MEMORY);
    assertThat(plan.step().budget()).isBetween(128, 4095);
    Plan roomy = plan(flat, "training.global-batch=512", "training.micro-batch-tokens=auto");
    assertThat(roomy.step().budget()).isEqualTo(4096);
    assertThat(roomy.step().limit()).isEqualTo(Limit.COMPUTE);
  }

  @Test
  void aLongerRunTakesLonger() {
    Plan plan = plan(flat);
    assertThat(plan.seconds())
        .isCloseTo(3000 * plan.step().time().total(), Percentage.withPercentage(1e-6));
    assertThat(plan.run().checkpointBytes()).isEqualTo(4 * 117_440_512L);
  }

  @Test
  void thePlanIsLaidOut() {
    List<String> text = plan(flat).toText();
    assertThat(text)
        .contains(
            "8 ranks of 8 cores; 0 of 64 cores of a host are left",
            "  rank  host  socket  cpus   node   memory  on node  weights",
            "     7     0       1  56-63     7  1.53 GB       15  node 15");
  }

  @Test
  void aProjectedPrefixIsPlannedWithItsOwnMemoryAndRate() {
    Plan plan = plan(flat, "prefix.projection=true");
    assertThat(plan.ranks().get(0).memory()).isGreaterThan(15_300_000_000L);
    assertThat(plan.warnings()).anyMatch(warning -> warning.startsWith("A projected prefix"));
  }
}
