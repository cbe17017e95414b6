package org.glmtuner.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.glmtuner.planning.Plans.plan;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.assertj.core.data.Percentage;
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

  @Test
  void chatGlm6bIsKnown() {
    assertThat(Plans.MODEL.weightBytes() / 1e9).isCloseTo(12.35, within(0.01));
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
    Optional<Rate> slow = Optional.of(new Rate(5e9, "measured"));
    assertThat(plan(flat, 1, Plans.speeds(slow, Optional.empty())).step().reading())
        .isEqualTo(new Rate(40e9, "measured"));
  }

  @Test
  void whatIsGivenOfTheMemoryStandsWhateverWasMeasuredElsewhere() {
    Speeds speeds =
        Plans.speeds(Optional.of(new Rate(5e9, "measured")), Optional.of(new Rate(400e9, "given")));
    assertThat(plan(flat, 1, speeds).step().reading()).isEqualTo(new Rate(400e9, "given"));
    assertThat(plan(flat, 1, speeds, "ranks.count=16").step().reading())
        .isEqualTo(new Rate(200e9, "given"));
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
        .hasMessage(
            "Cannot place the weights: the mapped weight file and 2 ranks need 18.93 GB, the host has 15.03 GB of DRAM (memory.kind, memory.weights)");
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
  void whatNothingTellsMustBeGiven() {
    assertThatThrownBy(() -> plan(Machines.small(2, 64L << 30), 1, Plans.SPEEDS, "ranks.count=2"))
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
  void weightsAreWhereTheRunHasThemWhateverRanksGrowTo() {
    Plan auto = plan(hbmOnly, "training.global-batch=512", "training.micro-batch-tokens=auto");
    assertThat(auto.placement().mode()).isEqualTo(Mode.PER_NODE);
    assertThat(auto.ranks().get(0).memory()).isGreaterThan(2_500_000_000L);
    assertThat(auto.placement().uses())
        .allSatisfy(use -> assertThat(use.own()).isEqualTo(auto.ranks().get(0).memory()));
    Plan large = plan(hbmOnly, "training.global-batch=512", "training.micro-batch-tokens=4096");
    assertThat(large.placement().mode()).isEqualTo(Mode.PER_SOCKET);
    assertThat(large.step().budget()).isEqualTo(4096);
  }

  @Test
  void aLongerRunTakesLonger() {
    Plan plan = plan(flat);
    assertThat(plan.seconds())
        .isCloseTo(3000 * plan.step().time().total(), Percentage.withPercentage(1e-6));
    assertThat(plan.run().checkpointBytes()).isEqualTo(4 * 117_440_512L);
  }

  @Test
  void aProjectedPrefixIsPlannedWithItsOwnMemoryAndRate() {
    Plan plan = plan(flat, "prefix.projection=true");
    assertThat(plan.ranks().get(0).memory()).isGreaterThan(15_300_000_000L);
    assertThat(plan.warnings()).anyMatch(warning -> warning.startsWith("A projected prefix"));
  }
}
