package org.glmtuner.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.assertj.core.data.Percentage;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.Test;

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

  /** Weights of the model's size. */
  private interface Placing extends BiFunction<Topology, Long, Weights> {}

  private static Plan plan(
      Topology topology, int cores, int hosts, Placing placing, String... keys) {
    return Planner.plan(
        new PlanRequest(
            config(keys),
            new HostPlan(topology, "a test", Machines.seats(topology, cores), hosts),
            MODEL,
            SampleSizes.longest(config(keys).data()),
            topology.memory().get(0).bandwidth() > 0 ? SPEEDS : WITH_READING,
            seats -> placing.apply(topology, MODEL.weightBytes())));
  }

  private static TunerConfig config(String... keys) {
    Map<String, String> overrides = new HashMap<>();
    for (String key : keys) {
      overrides.put(key.substring(0, key.indexOf('=')), key.substring(key.indexOf('=') + 1));
    }
    return ConfigLoader.load("", "", overrides);
  }

  private static Weights inHbm(Topology topology, long bytes) {
    return Machines.perCluster(topology, "hbm", bytes);
  }

  @Test
  void chatGlm6bIsKnown() {
    assertThat(MODEL.weightBytes() / 1e9).isCloseTo(12.35, within(0.01));
  }

  @Test
  void twoXeonMaxGetEightRanksOfEightCores() {
    Plan plan = plan(Machines.flat(), 8, 1, PlannerTest::inHbm);
    assertThat(plan.ranks()).hasSize(8);
    assertThat(plan.ranks())
        .allSatisfy(
            rank -> {
              assertThat(rank.seat().cpus()).hasSize(8);
              assertThat(rank.memoryNode()).isEqualTo(rank.rank());
              assertThat(rank.seat().socket()).isEqualTo(rank.rank() / 4);
            });
    assertThat(plan.coresLeft()).isZero();
    assertThat(plan.step().share()).isEqualTo(new StepShare(2, 256, 128, 1));
    assertThat(plan.warnings())
        .containsExactly(
            "Micro-batches are never full: a rank has about 256 tokens in a step, training.micro-batch-tokens is 1024; a greater training.global-batch would use weights once read for more tokens");
  }

  @Test
  void theJsonHasWhatProgramsLookFor() {
    Plan plan = plan(Machines.flat(), 8, 1, PlannerTest::inHbm);
    JsonObject json = JsonParser.parseString(plan.toJson()).getAsJsonObject();
    assertThat(json.get("world_size").getAsInt()).isEqualTo(8);
    JsonObject rank = json.getAsJsonArray("ranks").get(7).getAsJsonObject();
    assertThat(rank.get("host").getAsInt()).isZero();
    assertThat(rank.get("cores").getAsInt()).isEqualTo(8);
    assertThat(rank.get("numa_node").getAsInt()).isEqualTo(7);
    assertThat(rank.get("memory").getAsLong()).isEqualTo(plan.ranks().get(7).memory());
    JsonObject weights = json.getAsJsonObject("weights");
    assertThat(weights.get("mode").getAsString()).isEqualTo("per-cluster");
    assertThat(weights.get("kind").getAsString()).isEqualTo("hbm");
    assertThat(weights.get("bytes").getAsLong()).isEqualTo(8 * MODEL.weightBytes());
    assertThat(weights.getAsJsonArray("nodes").toString()).isEqualTo("[8,9,10,11,12,13,14,15]");
    assertThat(json.get("step_seconds").getAsDouble()).isEqualTo(plan.step().time().total());
    assertThat(json.get("limit").getAsString()).isEqualTo("compute");
    assertThat(json.getAsJsonObject("host").get("hbm_mode").getAsString()).isEqualTo("flat");
  }

  @Test
  void hbmIsReadFasterThanDdr() {
    Plan flat = plan(Machines.flat(), 8, 1, PlannerTest::inHbm);
    Plan cache =
        plan(Machines.cache(), 8, 1, (host, bytes) -> Machines.perCluster(host, "dram", bytes));
    Plan shared = plan(Machines.cache(), 8, 1, Machines::shared);
    assertThat(flat.step().readPerSecond()).isEqualTo(409.6e9);
    assertThat(cache.step().readPerSecond()).isEqualTo(76.8e9);
    assertThat(shared.step().readPerSecond()).isEqualTo(76.8e9 / 8); // all read from one node
    assertThat(flat.step().time().total()).isLessThan(cache.step().time().total());
    assertThat(HbmMode.of(Machines.hbmOnly())).isEqualTo(HbmMode.HBM_ONLY);
    assertThat(HbmMode.of(Machines.cache())).isEqualTo(HbmMode.CACHE);
    assertThat(HbmMode.of(Machines.small(2, 1 << 30))).isEqualTo(HbmMode.NONE);
  }

  @Test
  void aFullNodeIsTold() {
    Plan plan = plan(Machines.hbmOnly(), 8, 1, PlannerTest::inHbm);
    NodeUse node = plan.memory().nodes().get(0);
    assertThat(node.weights()).isEqualTo(MODEL.weightBytes());
    assertThat(node.ranks()).isGreaterThan(plan.memory().nodes().get(1).ranks()); // checkpoints
    Plan full =
        plan(
            Machines.hbmOnly(),
            8,
            1,
            PlannerTest::inHbm,
            "training.global-batch=128",
            "training.micro-batch-tokens=1500");
    assertThat(full.warnings())
        .anyMatch(
            warning ->
                warning.matches(
                    "NUMA node 0 has 17\\.2 GB, 1[67]\\.\\d GB of which are planned: .*"));
  }

  @Test
  void ranksAreSpreadOverHosts() {
    Plan plan = plan(Machines.flat(), 8, 3, PlannerTest::inHbm, "ranks.count=8");
    assertThat(plan.ranks().stream().map(RankSpot::host)).containsExactly(0, 0, 0, 1, 1, 1, 2, 2);
    assertThat(plan.spark().conf())
        .containsEntry("spark.executor.instances", "3")
        .containsEntry("spark.executor.cores", "24");
    assertThat(plan.step().network().bytesPerHost()).isEqualTo(205_520_896);
    assertThat(plan.step().network().seconds()).isCloseTo(0.2055 / 1.25, within(1e-3));
  }

  @Test
  void moreRanksThanSeatsAreRefused() {
    assertThatThrownBy(() -> plan(Machines.flat(), 8, 2, PlannerTest::inHbm, "ranks.count=17"))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot place 17 ranks: 2 hosts have together 16 CPU groups of 8 cores (ranks.count, ranks.cores, --hosts)");
  }

  @Test
  void weightsLargerThanTheHostAreRefused() {
    assertThatThrownBy(
            () -> plan(Machines.small(2, 14L << 30), 1, 1, Machines::shared, "ranks.count=2"))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageMatching(
            "Cannot fit the ranks into memory: each host has 15\\.0 GB .*: 12\\.3 GB of the base, .* for each of 2 ranks .*");
  }

  @Test
  void unevenSharesAreTold() {
    assertThat(
            plan(Machines.flat(), 8, 1, PlannerTest::inHbm, "training.global-batch=20").warnings())
        .contains(
            "Ranks wait for 17 % of the products' time: training.global-batch = 20 gives some of the 8 ranks 3 samples, others 2");
    assertThat(
            plan(Machines.flat(), 8, 1, PlannerTest::inHbm, "training.global-batch=5").warnings())
        .contains("3 of 8 ranks have no sample in a step: training.global-batch is 5");
  }

  @Test
  void samplesLongerThanAMicroBatchAreTold() {
    assertThat(
            plan(Machines.flat(), 8, 1, PlannerTest::inHbm, "training.micro-batch-tokens=100")
                .warnings())
        .contains(
            "A sample may have 128 tokens, more than training.micro-batch-tokens = 100: such a one goes alone and takes more memory than other micro-batches");
  }

  @Test
  void yarnCountsMappedWeightsOnceForEachRank() {
    Plan mapped = plan(Machines.small(2, 64L << 30), 1, 1, Machines::shared, "ranks.count=2");
    SparkSettings.Overheads overheads = mapped.spark().overheads();
    assertThat(overheads.resident() - overheads.unshared()).isEqualTo(2 * MODEL.weightBytes());
    assertThat(overheads.unshared() / 1e9)
        .isCloseTo(
            2 * (mapped.ranks().get(0).memory() / 1e9 + 0.537) + 0.352 + 0.403, within(0.01));
    assertThat(mapped.toText())
        .anyMatch(line -> line.contains(SparkSettings.SHARED_NOT_COUNTED + "=true"));
    SparkSettings.Overheads own =
        plan(Machines.flat(), 8, 1, PlannerTest::inHbm).spark().overheads();
    assertThat(own.unshared()).isEqualTo(own.resident());
  }

  @Test
  void whatNothingTellsMustBeGiven() {
    assertThatThrownBy(
            () ->
                Planner.plan(
                    new PlanRequest(
                        config(),
                        new HostPlan(
                            Machines.small(2, 64L << 30),
                            "a test",
                            Machines.seats(Machines.small(2, 64L << 30), 2),
                            1),
                        MODEL,
                        SampleSizes.longest(config().data()),
                        SPEEDS,
                        seats -> Machines.shared(Machines.small(2, 1), 1))))
        .hasMessageStartingWith("Invalid arguments: --memory-gb-s is missing");
  }

  @Test
  void epochsNeedTheNumberOfSamples() {
    Plan unknown = plan(Machines.flat(), 8, 1, PlannerTest::inHbm, "training.epochs=2");
    assertThat(unknown.run().steps()).isEmpty();
    assertThat(unknown.warnings()).anyMatch(warning -> warning.contains("--samples"));
    assertThat(unknown.toText()).noneMatch(line -> line.contains(" steps: "));
  }

  @Test
  void wantOfMemoryIsALimit() {
    Plan plan =
        plan(
            Machines.hbmOnly(),
            8,
            1,
            PlannerTest::inHbm,
            "training.global-batch=512",
            "training.micro-batch-tokens=auto");
    assertThat(plan.step().limit()).isEqualTo(Limit.MEMORY);
    assertThat(plan.step().budget()).isBetween(128, 4095);
    Plan roomy =
        plan(
            Machines.flat(),
            8,
            1,
            PlannerTest::inHbm,
            "training.global-batch=512",
            "training.micro-batch-tokens=auto");
    assertThat(roomy.step().budget()).isEqualTo(4096);
    assertThat(roomy.step().limit()).isEqualTo(Limit.COMPUTE);
  }

  @Test
  void aLongerRunTakesLonger() {
    Plan plan = plan(Machines.flat(), 8, 1, PlannerTest::inHbm);
    assertThat(plan.seconds())
        .isCloseTo(3000 * plan.step().time().total(), Percentage.withPercentage(1e-6));
    assertThat(plan.run().checkpointBytes()).isEqualTo(4 * 117_440_512L);
  }

  @Test
  void thePlanIsLaidOut() {
    List<String> text = plan(Machines.flat(), 8, 1, PlannerTest::inHbm).toText();
    assertThat(text)
        .contains(
            "8 ranks of 8 cores; 0 of 64 cores of a host are left",
            "  rank  host  socket  cpus   node   memory  weights",
            "     7     0       1  56-63     7  1.53 GB  node 15");
  }
}
