package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Hosts;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.Test;

class RankLayoutTest {
  private static final double ENDLESS = Double.POSITIVE_INFINITY;

  private final List<String> notes = new ArrayList<>();

  private static SparkConf spark(String... keysAndValues) {
    SparkConf conf = new SparkConf(false).set("spark.master", "local[8]");
    for (int i = 0; i < keysAndValues.length; i += 2) {
      conf.set(keysAndValues[i], keysAndValues[i + 1]);
    }
    return conf;
  }

  private RankLayout local(String ranks, int slots, Topology host, double cpuTime) {
    return RankLayout.local(Hosts.ranks(ranks), spark(), slots, host, cpuTime, notes::add);
  }

  private static void unsuitable(Runnable action, String message) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(message);
  }

  @Test
  void thisMachineHasARankForEachClusterAsFarAsThereAreSlots() {
    assertThat(local("", 8, Hosts.xeonMax(), ENDLESS)).isEqualTo(new RankLayout(8, 8, 8, null));
    assertThat(local("", 3, Hosts.xeonMax(), ENDLESS)).isEqualTo(new RankLayout(3, 8, 8, null));
    assertThat(local("smt = true", 8, Hosts.xeonMax(), ENDLESS))
        .isEqualTo(new RankLayout(8, 8, 16, null));
  }

  @Test
  void ranksOfOneNodeShareItsCores() {
    Topology node = Hosts.oneNode(0, 1, 2, 3);
    assertThat(local("count = 2", 2, node, ENDLESS)).isEqualTo(new RankLayout(2, 2, 2, null));
    assertThat(local("", 4, node, ENDLESS)).isEqualTo(new RankLayout(1, 4, 4, null));
  }

  @Test
  void moreRanksThanSlotsAreRefused() {
    unsuitable(
        () -> local("count = 9", 8, Hosts.xeonMax(), ENDLESS),
        "Cannot start ranks: 9 ranks run at once and local[8] has 8 task slots of spark.task.cpus=1 (ranks.count, --master)");
  }

  @Test
  void aCpusetSmallerThanThePlanIsRefused() {
    unsuitable(
        () -> local("count = 3, cores = 2", 4, Hosts.oneNode(0, 1, 2, 3), ENDLESS),
        "Cannot place 3 ranks of 2 cores: there is room for 2 in 1 CPU cluster (1 of 4 cores) (ranks.count, ranks.cores, ranks.per-cluster, ranks.reserve-cores, ranks.across-clusters)");
  }

  @Test
  void cpuTimeLimitsTheSizeOfRanksThatIsNotGiven() {
    assertThat(local("count = 2", 2, Hosts.xeonMax(), 6.5).cores()).isEqualTo(3);
    assertThat(notes).isEmpty();
    assertThat(local("count = 2, cores = 4", 2, Hosts.xeonMax(), 6.5).cores()).isEqualTo(4);
    assertThat(notes)
        .containsExactly(
            "2 ranks of 4 cores will wait for one another: the control group grants CPU time of 6.5 cores");
  }

  @Test
  void withoutAnotherWordARankIsAsLargeAsATask() {
    assertThat(RankLayout.sized(Hosts.ranks(""), spark("spark.task.cpus", "4")).cores())
        .isEqualTo(4);
    assertThat(RankLayout.sized(Hosts.ranks("cores = 2"), spark("spark.task.cpus", "4")).cores())
        .isEqualTo(2);
    assertThat(RankLayout.sized(Hosts.ranks(""), spark()).cores()).isZero();
  }

  @Test
  void tasksLargerThanAClusterAreRefused() {
    unsuitable(
        () -> taskCpus("count = 1", "16", Hosts.xeonMax()),
        "Cannot start ranks: spark.task.cpus=16, but a rank can have 8 cores in 8 CPU clusters (8 of 8 cores): set spark.task.cpus=8");
  }

  @Test
  void tasksThatLeaveNoRoomForAllRanksAreRefusedWithTheSizeThatDoes() {
    unsuitable(
        () -> taskCpus("count = 3", "3", Hosts.oneNode(0, 1, 2, 3, 4, 5, 6, 7)),
        "Cannot start ranks: spark.task.cpus=3, but each of 3 ranks can have 2 cores in 1 CPU cluster (1 of 8 cores): set spark.task.cpus=2");
    unsuitable(
        () -> taskCpus("reserve-cores = 1", "8", Hosts.xeonMax()),
        "Cannot start ranks: spark.task.cpus=8, but a rank can have 7 cores in 8 CPU clusters (8 of 8 cores; kept free in each: 1): set spark.task.cpus=7");
    assertThat(taskCpus("count = 3", "2", Hosts.xeonMax()).cores()).isEqualTo(2);
    assertThat(taskCpus("across-clusters = true", "16", Hosts.xeonMax()).count()).isEqualTo(4);
    unsuitable(
        () -> taskCpus("count = 3, cores = 4", "2", Hosts.oneNode(0, 1, 2, 3, 4, 5, 6, 7)),
        "Cannot place 3 ranks of 4 cores: there is room for 2 in 1 CPU cluster (1 of 8 cores) (ranks.count, ranks.cores, ranks.per-cluster, ranks.reserve-cores, ranks.across-clusters)");
  }

  private RankLayout taskCpus(String ranks, String taskCpus, Topology host) {
    return RankLayout.local(
        Hosts.ranks(ranks), spark("spark.task.cpus", taskCpus), 4, host, ENDLESS, notes::add);
  }

  @Test
  void clustersThatStayWithoutARankAreTold() {
    Topology uneven = Hosts.clusters(new int[] {0, 1, 2, 3}, new int[] {4});
    assertThat(local("", 2, uneven, ENDLESS)).isEqualTo(new RankLayout(1, 4, 4, null));
    assertThat(notes)
        .containsExactly(
            "ranks have 4 cores, and CPU clusters with fewer have none: 2 CPU clusters (1 of 1 core, 1 of 4 cores)");
  }

  @Test
  void executorsSmallerThanARankAreRefusedAtOnce() {
    unsuitable(
        () ->
            RankLayout.checkExecutorSize(
                Hosts.ranks("cores = 8"), spark("spark.executor.cores", "4")),
        "Cannot start ranks: a rank has 8 cores (ranks.cores, or spark.task.cpus without it) and an executor 4 (spark.executor.cores): set spark.executor.cores=8, or ranks.cores=4");
    RankLayout.checkExecutorSize(Hosts.ranks("cores = 8"), spark("spark.executor.cores", "16"));
    RankLayout.checkExecutorSize(Hosts.ranks("cores = 8"), spark());
  }
}
