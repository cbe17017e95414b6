package org.glmtuner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.glmtuner.config.MemoryConfig;
import org.glmtuner.config.MemoryConfig.Weights;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.placement.HostPlacement.Mode;
import org.glmtuner.placement.HostPlacement.NodeUse;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;
import org.junit.jupiter.api.Test;

/** ChatGLM-6B in BF16 with the default micro-batch, unless a test says otherwise. */
class PlacementDecisionTest {
  private static final long WEIGHTS = 12_350_000_000L;
  private static final long RANK = 3_300_000_000L;
  private static final long GIBI = 1L << 30;
  private static final MemoryConfig AUTO = new MemoryConfig(Weights.AUTO, MemoryConfig.Kind.AUTO);

  private static HostPlacement decide(
      Topology host, int ranksEach, long rank, MemoryConfig config) {
    return PlacementDecision.decide(
        host.memory(), XeonMax.ranks(host, ranksEach), new MemoryNeed(WEIGHTS, rank), config);
  }

  private static HostPlacement decide(Topology host) {
    return decide(host, 1, RANK, AUTO);
  }

  private static MemoryConfig config(Weights weights, MemoryConfig.Kind kind) {
    return new MemoryConfig(weights, kind);
  }

  private static AbstractThrowableAssert<?, ?> refused(
      Topology host, int ranksEach, long rank, MemoryConfig config) {
    return assertThatThrownBy(() -> decide(host, ranksEach, rank, config))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE));
  }

  private static CpuGroup group(int socket, int cpu, int node) {
    return new CpuGroup(socket, List.of(cpu), List.of(cpu), List.of(node));
  }

  @Test
  void inFlatModeEachClusterHasWeightsAndBuffersInItsHbm() {
    HostPlacement placement = decide(XeonMax.flat());
    assertThat(placement.mode()).isEqualTo(Mode.PER_NODE);
    assertThat(placement.kind()).isEqualTo(Kind.HBM);
    assertThat(placement.copies()).isEqualTo(8);
    for (int rank = 0; rank < XeonMax.CLUSTERS; rank++) {
      assertThat(placement.ranks().get(rank))
          .isEqualTo(new RankPlacement(List.of(8 + rank), false, 8 + rank, false, false));
    }
    assertThat(placement.uses())
        .isEqualTo(
            IntStream.range(8, 16)
                .mapToObj(node -> new NodeUse(node, Kind.HBM, 16 * GIBI, WEIGHTS, RANK))
                .toList());
    assertThat(placement.reason())
        .isEqualTo(
            "there is room for the weights, 12.35 GB a copy, and the 3.30 GB that each rank has for itself, in HBM");
  }

  @Test
  void inFlatModeBuffersThatDoNotFitBesideTheWeightsGoToDram() {
    long large = 10_000_000_000L;
    HostPlacement placement = decide(XeonMax.flat(), 1, large, AUTO);
    assertThat(placement.kind()).isEqualTo(Kind.HBM);
    NodeUse dram = placement.uses().get(0);
    NodeUse hbm = placement.uses().get(8);
    assertThat(dram.node()).isZero();
    assertThat(hbm.node()).isEqualTo(8);
    assertThat(hbm.weights()).isEqualTo(WEIGHTS);
    assertThat(hbm.own() + dram.own()).isEqualTo(large);
    assertThat(hbm.weights() + hbm.own()).isEqualTo((long) (0.95 * 16 * GIBI));
    assertThat(dram.weights()).isZero();
    assertThat(placement.ranks().get(3).preferred()).isEqualTo(11);
    assertThat(placement.reason()).endsWith(", but for 48.23 GB of all ranks', which go to DRAM");
  }

  @Test
  void inFlatModeWeightsThatNoClustersHbmHoldsAreSpreadOverThatOfTheSocket() {
    Topology host = XeonMax.flat();
    HostPlacement placement =
        PlacementDecision.decide(
            host.memory(), XeonMax.ranks(host, 1), new MemoryNeed(2 * WEIGHTS, RANK), AUTO);
    assertThat(placement.mode()).isEqualTo(Mode.PER_SOCKET);
    assertThat(placement.kind()).isEqualTo(Kind.HBM);
    assertThat(placement.ranks().get(5))
        .isEqualTo(new RankPlacement(List.of(12, 13, 14, 15), true, 13, false, false));
    assertThat(placement.reason())
        .contains(
            "not a copy for each NUMA node in HBM: the weights need 24.70 GB of NUMA node 8, which has 17.18 GB");
  }

  @Test
  void inFlatModeDramHasACopyForEachClusterWhereItIsAskedFor() {
    HostPlacement placement =
        decide(XeonMax.flat(), 1, RANK, config(Weights.AUTO, MemoryConfig.Kind.DRAM));
    assertThat(placement.mode()).isEqualTo(Mode.PER_NODE);
    assertThat(placement.kind()).isEqualTo(Kind.DRAM);
    assertThat(placement.ranks().get(2))
        .isEqualTo(new RankPlacement(List.of(2), false, RankPlacement.NEAREST, true, false));
    assertThat(placement.uses()).hasSize(8).allMatch(use -> use.own() == RANK && use.node() < 8);
  }

  @Test
  void hbmOnlyHasACopyForEachSocketWhereTheSystemNeedsTheRest() {
    HostPlacement placement = decide(XeonMax.hbmOnly());
    assertThat(placement.mode()).isEqualTo(Mode.PER_SOCKET);
    assertThat(placement.kind()).isEqualTo(Kind.HBM);
    assertThat(placement.copies()).isEqualTo(2);
    assertThat(placement.ranks().get(0))
        .isEqualTo(
            new RankPlacement(List.of(0, 1, 2, 3), true, RankPlacement.NEAREST, false, false));
    assertThat(placement.ranks().get(7).nodes()).containsExactly(4, 5, 6, 7);
    assertThat(placement.uses())
        .hasSize(8)
        .allMatch(use -> use.weights() == WEIGHTS / 4 && use.own() == RANK);
    assertThat(placement.reason())
        .contains(
            "not a copy for each NUMA node in HBM: weights and ranks need 17.80 GB of NUMA node 0 with 2.15 GB a rank for the rest of the system, which has 17.18 GB, 95 % of it usable");
  }

  @Test
  void hbmOnlyHasACopyForEachClusterWhereRanksAreSmallOrItIsAskedFor() {
    assertThat(decide(XeonMax.hbmOnly(), 1, 1_500_000_000L, AUTO).mode()).isEqualTo(Mode.PER_NODE);
    HostPlacement asked =
        decide(XeonMax.hbmOnly(), 1, RANK, config(Weights.PER_CLUSTER, MemoryConfig.Kind.HBM));
    assertThat(asked.mode()).isEqualTo(Mode.PER_NODE);
    assertThat(asked.ranks().get(7))
        .isEqualTo(new RankPlacement(List.of(7), false, RankPlacement.NEAREST, true, true));
  }

  @Test
  void hbmOnlyThatIsTooSmallForAllIsRefusedWithTheNumbers() {
    refused(
            XeonMax.hbmOnly(),
            1,
            5_000_000_000L,
            config(Weights.PER_CLUSTER, MemoryConfig.Kind.HBM))
        .hasMessage(
            "Cannot place the weights: not a copy for each NUMA node in HBM: weights and ranks need 17.35 GB of NUMA node 0, which has 17.18 GB, 95 % of it usable (memory.kind, memory.weights)");
    refused(XeonMax.hbmOnly(), 1, 17_000_000_000L, AUTO)
        .hasMessageContaining(
            "the mapped weight file and 8 ranks need 148.35 GB, the host has 137.44 GB of HBM");
  }

  @Test
  void behindACacheTheRanksOfASocketShareACopyOverItsNodes() {
    HostPlacement placement = decide(XeonMax.cache());
    assertThat(placement.mode()).isEqualTo(Mode.PER_SOCKET);
    assertThat(placement.kind()).isEqualTo(Kind.DRAM);
    assertThat(placement.ranks().get(4).nodes()).containsExactly(4, 5, 6, 7);
    assertThat(placement.reason())
        .contains(
            "not a copy for each NUMA node in DRAM: weights and ranks, 15.65 GB, would fill more than half of the cache of 17.18 GB in front of NUMA node 0");
  }

  @Test
  void behindACacheThatIsLargeEnoughEachNodeHasACopy() {
    Topology host = XeonMax.cache();
    HostPlacement placement =
        PlacementDecision.decide(
            host.memory(), XeonMax.ranks(host, 1), new MemoryNeed(WEIGHTS / 4, RANK), AUTO);
    assertThat(placement.mode()).isEqualTo(Mode.PER_NODE);
    assertThat(decide(host, 1, RANK, config(Weights.PER_CLUSTER, MemoryConfig.Kind.AUTO)).mode())
        .isEqualTo(Mode.PER_NODE);
  }

  @Test
  void ranksOfOneClusterShareItsCopy() {
    HostPlacement placement = decide(XeonMax.flat(), 2, RANK / 2, AUTO);
    assertThat(placement.ranks()).hasSize(16);
    assertThat(placement.copies()).isEqualTo(8);
    assertThat(placement.ranks().get(1))
        .isEqualTo(placement.ranks().get(0))
        .isEqualTo(new RankPlacement(List.of(8), true, 8, false, false));
    assertThat(placement.uses().get(0).own()).isEqualTo(RANK);
  }

  @Test
  void hostsWithOneNodeMapTheFile() {
    List<MemoryNode> memory = List.of(new MemoryNode(0, 24 * GIBI, Kind.DRAM, 0, 0));
    List<CpuGroup> ranks = List.of(group(0, 0, 0), group(0, 1, 0));
    MemoryNeed need = new MemoryNeed(WEIGHTS, RANK);
    HostPlacement placement = PlacementDecision.decide(memory, ranks, need, AUTO);
    assertThat(placement.mode()).isEqualTo(Mode.MAPPED);
    assertThat(placement.ranks()).containsOnly(RankPlacement.MAPPED);
    assertThat(placement.copies()).isEqualTo(1);
    assertThat(placement.describe())
        .isEqualTo(
            "the mapped weight file in DRAM, because the host has one NUMA node; node 0 (DRAM, 25.77 GB): 12.35 GB of weights, 6.60 GB of ranks' own");
    HostPlacement asked =
        PlacementDecision.decide(
            memory, ranks, need, config(Weights.PER_CLUSTER, MemoryConfig.Kind.AUTO));
    assertThat(asked.ranks())
        .containsOnly(new RankPlacement(List.of(0), true, RankPlacement.NEAREST, true, false));
    assertThatThrownBy(
            () -> PlacementDecision.decide(memory, ranks, new MemoryNeed(2 * WEIGHTS, RANK), AUTO))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot place the weights: the mapped weight file and 2 ranks need 31.30 GB, the host has 25.77 GB of DRAM (memory.kind, memory.weights)");
  }

  @Test
  void aFileThatIsSharedIsMappedWhateverTheHostHas() {
    HostPlacement placement =
        decide(XeonMax.flat(), 1, RANK, config(Weights.SHARED, MemoryConfig.Kind.AUTO));
    assertThat(placement.mode()).isEqualTo(Mode.MAPPED);
    assertThat(placement.kind()).isEqualTo(Kind.DRAM);
    assertThat(placement.elsewhere()).isEqualTo(WEIGHTS);
    assertThat(placement.ranks().get(1))
        .isEqualTo(new RankPlacement(List.of(), true, 9, false, false));
    assertThat(
            decide(XeonMax.hbmOnly(), 1, RANK, config(Weights.SHARED, MemoryConfig.Kind.HBM))
                .kind())
        .isEqualTo(Kind.HBM);
    refused(XeonMax.flat(), 1, RANK, config(Weights.SHARED, MemoryConfig.Kind.HBM))
        .hasMessage(
            "Cannot place the weights: the kernel reads a mapped file into DRAM, memory.kind = hbm needs a copy in HBM (memory.kind, memory.weights)");
  }

  @Test
  void askingForACopyDoesNotMakeHbmForRanksOwnMemoryCompulsory() {
    for (Weights weights : Weights.values()) {
      for (MemoryConfig.Kind kind : List.of(MemoryConfig.Kind.AUTO, MemoryConfig.Kind.HBM)) {
        if (weights != Weights.SHARED || kind != MemoryConfig.Kind.HBM) {
          RankPlacement rank =
              decide(XeonMax.flat(), 1, RANK, config(weights, kind)).ranks().get(2);
          boolean hbm = kind == MemoryConfig.Kind.HBM;
          assertThat(rank.preferred()).isEqualTo(10);
          assertThat(rank.preferenceRequired()).as("%s, %s", weights, kind).isEqualTo(hbm);
          assertThat(rank.copyRequired())
              .as("%s, %s", weights, kind)
              .isEqualTo(hbm || weights == Weights.PER_CLUSTER);
        }
      }
    }
  }

  @Test
  void aKindThatTheHostLacksIsRefused() {
    refused(XeonMax.cache(), 1, RANK, config(Weights.AUTO, MemoryConfig.Kind.HBM))
        .hasMessage(
            "Cannot place the weights in HBM: the host has none, its memory is 549.76 GB of DRAM (memory.kind)");
    refused(XeonMax.hbmOnly(), 1, RANK, config(Weights.AUTO, MemoryConfig.Kind.DRAM))
        .hasMessageStartingWith("Cannot place the weights in DRAM: the host has none");
  }

  @Test
  void weightsThatDoNotFitIntoHbmAreRefusedWhereItIsDemanded() {
    Topology host = XeonMax.flat();
    assertThatThrownBy(
            () ->
                PlacementDecision.decide(
                    host.memory(),
                    XeonMax.ranks(host, 1),
                    new MemoryNeed(2 * WEIGHTS, RANK),
                    config(Weights.PER_CLUSTER, MemoryConfig.Kind.HBM)))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot place the weights: not a copy for each NUMA node in HBM: the weights need 24.70 GB of NUMA node 8, which has 17.18 GB, 95 % of it usable (memory.kind, memory.weights)");
  }

  @Test
  void aRankThatIsAloneOnAHostOfHbmMapsTheFileIntoItWhereACopyHasNoRoom() {
    Topology host = XeonMax.hbmOnly();
    List<CpuGroup> alone = XeonMax.ranks(host, 1).subList(0, 1);
    MemoryNeed need = new MemoryNeed(WEIGHTS, RANK);
    MemoryConfig hbm = config(Weights.AUTO, MemoryConfig.Kind.HBM);
    HostPlacement placement = PlacementDecision.decide(host.memory(), alone, need, hbm);
    assertThat(placement.mode()).isEqualTo(Mode.MAPPED);
    assertThat(placement.kind()).isEqualTo(Kind.HBM);
    assertThat(placement.reason())
        .contains("not a copy for each NUMA node in HBM", "each socket has one such node");
    assertThatThrownBy(
            () ->
                PlacementDecision.decide(
                    XeonMax.flat().memory(),
                    XeonMax.ranks(XeonMax.flat(), 1).subList(0, 1),
                    new MemoryNeed(2 * WEIGHTS, RANK),
                    hbm))
        .hasMessageStartingWith("Cannot place the weights: not a copy for each NUMA node in HBM");
  }

  @Test
  void twoSocketsOfPlainMemoryHaveACopyEach() {
    List<MemoryNode> memory =
        List.of(
            new MemoryNode(0, 128 * GIBI, Kind.DRAM, 0, 0),
            new MemoryNode(1, 128 * GIBI, Kind.DRAM, 0, 0));
    List<CpuGroup> ranks = List.of(group(0, 0, 0), group(0, 1, 0), group(1, 2, 1));
    HostPlacement placement =
        PlacementDecision.decide(memory, ranks, new MemoryNeed(WEIGHTS, RANK), AUTO);
    assertThat(placement.mode()).isEqualTo(Mode.PER_NODE);
    assertThat(placement.ranks().get(1).shared()).isTrue();
    assertThat(placement.ranks().get(2))
        .isEqualTo(new RankPlacement(List.of(1), false, RankPlacement.NEAREST, false, false));
  }
}
