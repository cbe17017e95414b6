package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.MemoryConfig;
import org.glmtuner.config.MemoryConfig.Weights;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.model.RankMemory;
import org.glmtuner.model.RankMemory.Sequences;
import org.glmtuner.model.WeightFile;
import org.glmtuner.placement.HostPlacement.Mode;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Hosts;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ChatGLM-6B with the default micro-batch on the hosts of the files. */
class MemoryPlanTest {
  private static final MemoryConfig AUTO = new MemoryConfig(Weights.AUTO, MemoryConfig.Kind.AUTO);
  private static final MemoryConfig HBM = new MemoryConfig(Weights.AUTO, MemoryConfig.Kind.HBM);
  private static final long GIGA = 1_000_000_000;

  @TempDir static Path cache;

  private static Topology host(String mode) throws Exception {
    String file = "/topologies/xeonmax9462-snc4-" + mode + ".xml";
    return HostTopology.ofFile(cache, Path.of(MemoryPlanTest.class.getResource(file).toURI()));
  }

  private static MicroBatchMemory microBatches(int threads) {
    ChatGlmConfig model = ModelShapes.chatGlm6b();
    return new MicroBatchMemory(
        RankMemory.of(model, new ChatGlmConfig.Prefix(128, false), Precision.BF16, threads),
        WeightFile.bytes(model, Precision.BF16),
        new MicroBatchTokens.Given(1024),
        new MicroBatchMemory.Samples(120, 100, 16));
  }

  private static List<CpuGroup> groups(Topology host) {
    return RankGroups.ofCores(host, ConfigLoader.load("", "", Map.of()).ranks(), 8).groups();
  }

  /** A rank on each cluster of two such hosts, of so much free memory. */
  private static RankPlan ranks(Topology host, long freeGigabytes) {
    List<String> facts = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      for (CpuGroup group : groups(host)) {
        facts.add(
            new RankPlan.Facts(
                    facts.size(),
                    new HostIdentity(name, name + "/node"),
                    group,
                    List.of(new MemoryLimit(MemoryLimit.Kind.HOST, "", freeGigabytes * GIGA)))
                .encode());
      }
    }
    return RankPlan.of(facts.toArray(String[]::new));
  }

  private static MemoryPlan plan(String mode, int rank, long freeGigabytes, MemoryConfig config)
      throws Exception {
    Topology host = host(mode);
    return MemoryPlan.training(ranks(host, freeGigabytes), rank, host, microBatches(8), config);
  }

  @Test
  void inFlatModeEachRankHasACopyInItsHbm() throws Exception {
    MemoryPlan plan = plan("flat", 11, 640, AUTO);
    assertThat(plan.host().mode()).isEqualTo(Mode.PER_NODE);
    assertThat(plan.host().kind()).isEqualTo(Kind.HBM);
    assertThat(plan.rank()).isEqualTo(new RankPlacement(List.of(11), false, 11, false, false));
    assertThat(plan.host().uses()).allMatch(use -> use.node() >= 8 && use.weights() > 12 * GIGA);
    assertThat(plan.budget().reason()).contains("of 8 copies of the base");
  }

  @Test
  void hbmOnlyAndCacheModeHaveACopyForEachSocket() throws Exception {
    for (String mode : List.of("hbmonly", "cache")) {
      MemoryPlan plan = plan(mode, 4, 137, AUTO);
      assertThat(plan.host().mode()).isEqualTo(Mode.PER_SOCKET);
      assertThat(plan.rank().nodes()).containsExactly(4, 5, 6, 7);
      assertThat(plan.rank().shared()).isTrue();
      assertThat(plan.rank().preferred()).isEqualTo(RankPlacement.NEAREST);
      assertThat(plan.budget().reason()).contains("of 2 copies of the base");
    }
  }

  @Test
  void copiesGiveWayWhereALimitOfTheRanksIsTooLowForThem() throws Exception {
    MemoryPlan plan = plan("flat", 0, 60, AUTO);
    assertThat(plan.host().mode()).isEqualTo(Mode.MAPPED);
    assertThat(plan.host().reason())
        .startsWith(
            "there is no room for copies: Cannot fit the ranks into memory: the host a has 60.0 GB free");
    assertThat(plan.rank().copied()).isFalse();
    assertThatThrownBy(
            () ->
                plan("flat", 0, 60, new MemoryConfig(Weights.PER_CLUSTER, MemoryConfig.Kind.AUTO)))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageContaining("of 8 copies of the base");
  }

  @Test
  void memoryThatTheHostLacksIsRefusedToRanksThatTrainAndThatServe() {
    List<ThrowingCallable> plans =
        List.of(() -> plan("cache", 0, 640, HBM), () -> serve("cache", 1, 0, HBM));
    for (ThrowingCallable plan : plans) {
      assertThatThrownBy(plan)
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessageStartingWith("Cannot place the weights in HBM: the host has none");
    }
  }

  @Test
  void whatOneClusterHasNoRoomForTheClustersOfASocketMayHaveTogether() throws Exception {
    Topology host = host("hbmonly");
    RankPlan alone = new RankPlan(ranks(host, 137).ranks().subList(0, 1));
    assertThat(MemoryPlan.training(alone, 0, host, microBatches(8), HBM).host().mode())
        .isEqualTo(Mode.MAPPED);
    MemoryPlan plan = plan("hbmonly", 4, 137, HBM);
    assertThat(plan.host().mode()).isEqualTo(Mode.PER_SOCKET);
    assertThat(plan.host().kind()).isEqualTo(Kind.HBM);
  }

  @Test
  void whatCannotFitWhereverItIsPlacedIsRefusedWithWhatTheRanksNeedItFor() throws Exception {
    for (String mode : List.of("flat", "hbmonly")) {
      assertThatThrownBy(() -> plan(mode, 0, 12, AUTO))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessageStartingWith("Cannot fit the ranks into memory: the host a has 12.0 GB free")
          .hasMessageContaining("GB of the base, ")
          .hasMessageContaining("and for each of 8 ranks ");
    }
  }

  private static MemoryPlan serve(String mode, int ranks, int own, MemoryConfig config)
      throws Exception {
    Topology host = host(mode);
    List<CpuGroup> groups = groups(host);
    return MemoryPlan.serving(
        MemoryPlan.Neighbours.atMost(ranks, host.memory(), groups, groups.get(own)),
        List.of(new MemoryLimit(MemoryLimit.Kind.HOST, "", 600 * GIGA)),
        microBatches(1),
        new Sequences(4, 250),
        config);
  }

  @Test
  void ranksThatServeCountAsManyCopiesAsCanBeThereAtATime() throws Exception {
    MemoryPlan plan = serve("flat", 3, 2, AUTO);
    assertThat(plan.rank()).isEqualTo(new RankPlacement(List.of(10), false, 10, false, false));
    assertThat(plan.budget().reason()).contains("of 3 copies of the base");
  }

  @Test
  void groupsThatNoRankOfTheJobIsToHaveTakeNoMemory() throws Exception {
    int[] cpus = IntStream.range(0, 64).toArray();
    Topology small = Hosts.oneNode(cpus); // 16 GiB
    List<CpuGroup> groups =
        RankGroups.ofCores(small, ConfigLoader.load("", "", Map.of()).ranks(), 1).groups();
    assertThat(groups).hasSize(cpus.length);
    List<MemoryLimit> limits = List.of(new MemoryLimit(MemoryLimit.Kind.HOST, "", 16 * GIGA));
    MemoryPlan.Neighbours alone =
        MemoryPlan.Neighbours.atMost(1, small.memory(), groups, groups.get(63));
    assertThat(
            MemoryPlan.serving(alone, limits, microBatches(1), Sequences.NONE, AUTO).host().mode())
        .isEqualTo(Mode.MAPPED);
    MemoryPlan.Neighbours all =
        MemoryPlan.Neighbours.atMost(100, small.memory(), groups, groups.get(63));
    assertThatThrownBy(() -> MemoryPlan.serving(all, limits, microBatches(1), Sequences.NONE, AUTO))
        .isInstanceOf(TunerException.class)
        .hasMessageContaining("the mapped weight file and 64 ranks need ");
  }

  @Test
  void aRankThatServesIsAmongItsNeighboursWhereverItsCpusAre() throws Exception {
    Topology host = host("flat");
    List<CpuGroup> groups = groups(host);
    for (int own : new int[] {0, 2, 3, 7}) {
      MemoryPlan.Neighbours neighbours =
          MemoryPlan.Neighbours.atMost(3, host.memory(), groups, groups.get(own));
      assertThat(neighbours.groups()).hasSize(3).doesNotHaveDuplicates();
      assertThat(neighbours.groups().subList(0, 2)).isEqualTo(groups.subList(0, 2));
      assertThat(neighbours.groups().get(neighbours.self())).isEqualTo(groups.get(own));
    }
  }
}
