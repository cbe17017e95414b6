package org.glmtuner.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.glmtuner.topology.Hosts.ranks;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class RankGroupsTest {
  private static final Topology XEON_MAX = Hosts.xeonMax();

  private static List<Integer> range(int from, int end) {
    return IntStream.range(from, end).boxed().toList();
  }

  private static List<List<Integer>> cpus(RankGroups groups) {
    return groups.groups().stream().map(CpuGroup::cpus).toList();
  }

  @Test
  void eachClusterHasARankOnTheFirstThreadOfItsCores() {
    RankGroups groups = RankGroups.of(XEON_MAX, ranks(""), 0);
    assertThat(groups.cores()).isEqualTo(8);
    assertThat(groups.groups()).hasSize(8);
    for (int i = 0; i < 8; i++) {
      CpuGroup group = groups.groups().get(i);
      assertThat(group.cpus()).isEqualTo(range(8 * i, 8 * i + 8));
      assertThat(group.claimed()).hasSize(16).contains(8 * i, 8 * i + 64);
      assertThat(group.nodes()).containsExactly(i, i + 8);
      assertThat(group.socket()).isEqualTo(i / 4);
    }
  }

  @Test
  void withSmtARankHasAllThreadsOfItsCores() {
    RankGroups groups = RankGroups.of(XEON_MAX, ranks("smt = true"), 8);
    assertThat(groups.cores()).isEqualTo(8);
    assertThat(groups.groups().get(0).threads()).isEqualTo(16);
    assertThat(groups.groups().get(0).cpus()).isEqualTo(groups.groups().get(0).claimed());
  }

  @Test
  void reservedCoresAreTheLastOfEachCluster() {
    RankGroups groups = RankGroups.of(XEON_MAX, ranks("reserve-cores = 1"), 0);
    assertThat(groups.cores()).isEqualTo(7);
    assertThat(groups.groups()).hasSize(8);
    assertThat(groups.groups().get(1).cpus()).isEqualTo(range(8, 15));
    assertThat(groups.groups().get(1).claimed()).doesNotContain(15, 79);
  }

  @Test
  void ranksOfOneNodeShareItEvenly() {
    Topology two = Hosts.oneNode(0, 1);
    assertThat(cpus(RankGroups.of(two, ranks("count = 2"), 2)))
        .containsExactly(List.of(0), List.of(1));
    assertThat(cpus(RankGroups.of(two, ranks(""), 0))).containsExactly(List.of(0, 1));
    Topology eight = Hosts.oneNode(0, 1, 2, 3, 4, 5, 6, 7);
    assertThat(cpus(RankGroups.of(eight, ranks("count = 3"), 3)))
        .containsExactly(List.of(0, 1), List.of(2, 3), List.of(4, 5), List.of(6, 7));
  }

  @Test
  void fewerRanksThanClustersHaveAWholeOneEach() {
    RankGroups groups = RankGroups.of(XEON_MAX, ranks("count = 3"), 3);
    assertThat(groups.cores()).isEqualTo(8);
    assertThat(groups.groups().get(2).cpus()).isEqualTo(range(16, 24));
  }

  @Test
  void moreRanksThanClustersShareThemUnlessLimited() {
    assertThat(RankGroups.of(XEON_MAX, ranks("count = 16"), 16).cores()).isEqualTo(4);
    assertThat(RankGroups.of(XEON_MAX, ranks("per-cluster = 2"), 0).groups()).hasSize(16);
    assertThatThrownBy(() -> RankGroups.of(XEON_MAX, ranks("per-cluster = 1"), 9))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot place 9 ranks of 1 core: there is room for 8 in 8 CPU clusters (8 of 8 cores; ranks in each at most: 1) (ranks.count, ranks.cores, ranks.per-cluster, ranks.reserve-cores, ranks.across-clusters)");
  }

  @Test
  void clustersOfUnequalSizeGiveRanksAsManyCoresAsTheyCan() {
    Topology host = Hosts.clusters(new int[] {0, 1, 2, 3}, new int[] {4});
    assertThat(cpus(RankGroups.of(host, ranks(""), 0))).containsExactly(List.of(0, 1, 2, 3));
    assertThat(cpus(RankGroups.of(host, ranks(""), 2)))
        .containsExactly(List.of(0, 1), List.of(2, 3));
    Topology half = Hosts.clusters(new int[] {0, 1, 2, 3}, new int[] {4, 5});
    assertThat(cpus(RankGroups.of(half, ranks(""), 0)))
        .containsExactly(List.of(0, 1), List.of(4, 5));
    assertThat(cpus(RankGroups.of(half, ranks("per-cluster = 2"), 0)))
        .containsExactly(List.of(0, 1), List.of(4, 5), List.of(2, 3));
  }

  @Test
  void clustersThatAreTooSmallForARankAreTold() {
    Topology host = Hosts.clusters(new int[] {0, 1, 2, 3}, new int[] {4});
    assertThat(RankGroups.tooSmall(host, ranks(""), 4))
        .contains(
            "ranks have 4 cores, and CPU clusters with fewer have none: 2 CPU clusters (1 of 1 core, 1 of 4 cores)");
    assertThat(RankGroups.tooSmall(host, ranks(""), 1)).isEmpty();
    assertThat(RankGroups.tooSmall(host, ranks("across-clusters = true"), 5)).isEmpty();
  }

  @Test
  void groupsOfAGivenSizeAreTakenFromOneClusterAfterAnother() {
    RankGroups groups = RankGroups.of(XEON_MAX, ranks("cores = 3"), 0);
    assertThat(groups.groups()).hasSize(16);
    assertThat(groups.groups().get(7).cpus()).containsExactly(56, 57, 58);
    assertThat(groups.groups().get(8).cpus()).containsExactly(3, 4, 5);
  }

  @Test
  void noRankIsAcrossClustersUnlessToldTo() {
    assertThatThrownBy(() -> RankGroups.of(XEON_MAX, ranks("cores = 12"), 1))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageContaining("Cannot place 1 rank of 12 cores")
        .hasMessageContaining("there is room for 0 in 8 CPU clusters (8 of 8 cores) (ranks.");
    RankGroups across = RankGroups.of(XEON_MAX, ranks("cores = 12, across-clusters = true"), 1);
    assertThat(across.groups()).hasSize(5);
    assertThat(across.groups().get(0).cpus()).isEqualTo(range(0, 12));
    assertThat(across.groups().get(0).nodes()).containsExactly(0, 1, 8, 9);
    assertThat(across.groups().get(1).nodes()).containsExactly(1, 2, 9, 10);
    assertThat(across.groups()).extracting(CpuGroup::socket).containsExactly(0, 0, 0, 1, 1);
    assertThat(across.groups().get(3).nodes()).containsExactly(4, 5, 12, 13);
  }

  @Test
  void whereAClusterHasEnoughCoresNoRankIsAcrossClustersEvenIfItMay() {
    assertThat(RankGroups.of(XEON_MAX, ranks("across-clusters = true"), 1).cores()).isEqualTo(8);
    RankGroups three = RankGroups.of(XEON_MAX, ranks("across-clusters = true"), 3);
    assertThat(three.cores()).isEqualTo(8);
    assertThat(three.groups().get(2).nodes()).containsExactly(2, 10);
    RankGroups large = RankGroups.of(XEON_MAX, ranks("across-clusters = true, cores = 16"), 0);
    assertThat(large.groups()).extracting(CpuGroup::socket).containsExactly(0, 0, 1, 1);
    assertThat(large.groups().get(3).nodes()).containsExactly(6, 7, 14, 15);
  }

  @Test
  void aSmallCpusetIsToldWithItsNumbers() {
    Topology part = Hosts.clusters(new int[] {6, 7}, new int[] {8, 9, 10});
    assertThatThrownBy(() -> RankGroups.of(part, ranks("cores = 4"), 2))
        .hasMessage(
            "Cannot place 2 ranks of 4 cores: there is room for 0 in 2 CPU clusters (1 of 2 cores, 1 of 3 cores) (ranks.count, ranks.cores, ranks.per-cluster, ranks.reserve-cores, ranks.across-clusters)");
    assertThatThrownBy(() -> RankGroups.of(part, ranks("reserve-cores = 3"), 0))
        .hasMessageContaining(
            "there is room for 0 in 2 CPU clusters (1 of 2 cores, 1 of 3 cores; kept free in each: 3)");
    assertThat(cpus(RankGroups.of(part, ranks(""), 0)))
        .containsExactly(List.of(6, 7), List.of(8, 9));
  }

  @Test
  void coresThatShareACacheCanStandForClusters() {
    Topology chiplets = Hosts.oneNode(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    RankGroups groups = RankGroups.of(chiplets, ranks("clusters = cache"), 0);
    assertThat(cpus(groups)).containsExactly(range(0, 4), range(4, 8), range(8, 12));
    assertThat(groups.groups().get(2).nodes()).containsExactly(0);
  }

  @Property(tries = 200)
  void noTwoRanksAreOnOneCoreAndNoneIsAcrossClusters(
      @ForAll @IntRange(max = 40) int ranks,
      @ForAll @IntRange(max = 9) int cores,
      @ForAll @IntRange(max = 3) int perCluster,
      @ForAll @IntRange(max = 8) int reserved,
      @ForAll boolean smt) {
    RanksConfig config =
        ranks(
            "cores = "
                + cores
                + ", per-cluster = "
                + perCluster
                + ", reserve-cores = "
                + reserved
                + ", smt = "
                + smt);
    RankGroups groups;
    try {
      groups = RankGroups.of(XEON_MAX, config, ranks);
    } catch (TunerException e) {
      assertThat(e).hasMessageStartingWith("Cannot place ");
      return;
    }
    assertThat(groups.groups()).hasSizeGreaterThanOrEqualTo(Math.max(1, ranks));
    assertThat(RankGroups.of(XEON_MAX, config, ranks)).isEqualTo(groups);
    assertThat(RankGroups.ofCores(XEON_MAX, config, groups.cores()).groups())
        .startsWith(groups.groups().toArray(CpuGroup[]::new));
    Set<Integer> taken = new HashSet<>();
    for (CpuGroup group : groups.groups()) {
      assertThat(group.claimed()).hasSize(2 * groups.cores());
      assertThat(group.threads()).isEqualTo(smt ? 2 * groups.cores() : groups.cores());
      List<Integer> homes = new ArrayList<>(group.claimed());
      homes.replaceAll(cpu -> cpu % 64 / 8);
      assertThat(homes.stream().distinct()).hasSize(1);
      group.claimed().forEach(cpu -> assertThat(taken.add(cpu)).isTrue());
    }
  }
}
