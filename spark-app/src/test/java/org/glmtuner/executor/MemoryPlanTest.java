package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ChatGLM-6B with the default micro-batch on the hosts of the files. */
class MemoryPlanTest {
  private static final MemoryConfig AUTO = new MemoryConfig(Weights.AUTO, MemoryConfig.Kind.AUTO);
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
  void whatNoRankCanHaveIsKnownBeforeOneStarts() throws Exception {
    MemoryConfig hbm = new MemoryConfig(Weights.AUTO, MemoryConfig.Kind.HBM);
    MemoryPlan.requirePossible(host("flat"), microBatches(8).trainingNeed(), hbm);
    assertThatThrownBy(
            () -> MemoryPlan.requirePossible(host("cache"), microBatches(8).trainingNeed(), hbm))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageStartingWith("Cannot place the weights in HBM: the host has none");
  }

  @Test
  void ranksThatServeCountAsManyCopiesAsCanBeThereAtATime() throws Exception {
    Topology host = host("flat");
    MemoryPlan plan =
        MemoryPlan.serving(
            new MemoryPlan.Neighbours(host.memory(), groups(host), 2),
            3,
            List.of(new MemoryLimit(MemoryLimit.Kind.HOST, "", 600 * GIGA)),
            microBatches(1),
            new Sequences(4, 250),
            AUTO);
    assertThat(plan.rank()).isEqualTo(new RankPlacement(List.of(10), false, 10, false, false));
    assertThat(plan.budget().reason()).contains("of 3 copies of the base");
  }
}
