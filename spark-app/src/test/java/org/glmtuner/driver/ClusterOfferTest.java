package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.driver.ClusterOffer.Size;
import org.glmtuner.executor.ExecutorFacts;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Hosts;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.Test;

class ClusterOfferTest {
  private static final Topology TWO_CORES = Hosts.oneNode(0, 1);

  /** Executors on hosts of their own. */
  private record Cluster(
      String ranks, Topology host, int executors, int executorCores, boolean sizedByTask) {
    Cluster(String ranks, Topology host, int executors, int executorCores) {
      this(ranks, host, executors, executorCores, false);
    }

    ClusterOffer offer(int awaited, boolean settled) {
      List<ExecutorFacts> facts =
          IntStream.range(0, executors)
              .mapToObj(
                  id ->
                      new ExecutorFacts(
                          Integer.toString(id), "node " + id, host, Double.POSITIVE_INFINITY, ""))
              .toList();
      return new ClusterOffer(
          ExecutorHosts.of(facts, Hosts.ranks(ranks)),
          awaited,
          settled,
          Integer.MAX_VALUE,
          cores -> (executors + awaited) * (executorCores / cores),
          sizedByTask);
    }

    ClusterOffer settled() {
      return offer(0, true);
    }
  }

  private static void unsuitable(ClusterOffer offer, String message) {
    assertThatThrownBy(offer::size)
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(message);
  }

  @Test
  void asSoonAsThereIsRoomForTheRanksTheyStart() {
    Cluster cluster = new Cluster("count = 4, cores = 1", TWO_CORES, 2, 2);
    assertThat(cluster.offer(0, false).size()).contains(new Size(4, 1));
    assertThat(new Cluster("count = 2", TWO_CORES, 2, 2).offer(3, false).size())
        .contains(new Size(2, 2));
  }

  @Test
  void anExecutorThatHasNotSaidWhatItMayUseIsWaitedForThoughSparkCountsItsSlots() {
    Cluster half = new Cluster("count = 4, cores = 1", TWO_CORES, 1, 2);
    assertThat(half.offer(1, false).size()).isEmpty();
    assertThat(half.offer(1, true).size()).isEmpty();
    assertThat(half.offer(1, true).describe())
        .isEqualTo(
            "1 executors with 4 slots of 1 cores, and 1 that have not come or not said what they may use");
    Cluster any = new Cluster("", TWO_CORES, 1, 2);
    assertThat(any.offer(1, true).size()).isEmpty();
    assertThat(any.settled().size()).contains(new Size(1, 2));
  }

  @Test
  void executorsThatMayStillComeAreWaitedFor() {
    Cluster crowded = new Cluster("count = 4, cores = 1", TWO_CORES, 1, 4);
    assertThat(crowded.offer(0, false).size()).isEmpty();
    unsuitable(
        crowded.settled(),
        "Cannot start ranks: 4 ranks of 1 cores are to run, and there is room for 2 on the hosts of the 1 executors, whatever slots Spark was told of: 1 CPU cluster (1 of 2 cores) (ranks.count, ranks.cores, ranks.per-cluster, ranks.across-clusters, spark.task.cpus)");
    Cluster small = new Cluster("count = 4, cores = 1", TWO_CORES, 1, 2);
    assertThat(small.settled().size()).isEmpty();
    assertThat(new Cluster("", TWO_CORES, 0, 2).settled().size()).isEmpty();
    assertThat(new Cluster("", TWO_CORES, 0, 2).settled().describe())
        .isEqualTo("0 executors with 0 slots of 1 cores");
  }

  @Test
  void ranksWithoutASizeShareAClusterWhereTheyHaveTo() {
    assertThat(new Cluster("count = 2", TWO_CORES, 1, 2).offer(0, false).size()).isEmpty();
    assertThat(new Cluster("count = 2", TWO_CORES, 1, 2).settled().size()).contains(new Size(2, 1));
    assertThat(new Cluster("count = 16", Hosts.xeonMax(), 1, 64).settled().size())
        .contains(new Size(16, 4));
    assertThat(new Cluster("count = 8", Hosts.xeonMax(), 1, 64).settled().size())
        .contains(new Size(8, 8));
    assertThat(new Cluster("count = 3", TWO_CORES, 1, 2).settled().size()).isEmpty();
    unsuitable(
        new Cluster("count = 3", TWO_CORES, 1, 4).settled(),
        "Cannot start ranks: 3 ranks of 1 cores are to run, and there is room for 2 on the hosts of the 1 executors, whatever slots Spark was told of: 1 CPU cluster (1 of 2 cores) (ranks.count, ranks.cores, ranks.per-cluster, ranks.across-clusters, spark.task.cpus)");
  }

  @Test
  void withoutANumberOfRanksThereAreAsManyAsThereIsRoomFor() {
    assertThat(new Cluster("", Hosts.xeonMax(), 2, 64).settled().size()).contains(new Size(16, 8));
    assertThat(new Cluster("", Hosts.xeonMax(), 2, 16).settled().size()).contains(new Size(4, 8));
    assertThat(new Cluster("", Hosts.xeonMax(), 2, 6).settled().size()).contains(new Size(2, 6));
    assertThat(new Cluster("", Hosts.xeonMax(), 2, 64).offer(0, false).size()).isEmpty();
    assertThat(new Cluster("cores = 8", Hosts.xeonMax(), 2, 4).settled().size()).isEmpty();
  }

  @Test
  void tasksThatAreTooLargeForAClusterAreRefusedWithTheSizeThatIsNot() {
    unsuitable(
        new Cluster("cores = 16", Hosts.xeonMax(), 1, 64, true).settled(),
        "Cannot start ranks: spark.task.cpus=16, but a rank can have 8 cores in 8 CPU clusters (8 of 8 cores): set spark.task.cpus=8");
    unsuitable(
        new Cluster("count = 16, cores = 8", Hosts.xeonMax(), 1, 128, true).settled(),
        "Cannot start ranks: spark.task.cpus=8, but each of 16 ranks can have 4 cores in 8 CPU clusters (8 of 8 cores): set spark.task.cpus=4");
    unsuitable(
        new Cluster("cores = 16", Hosts.xeonMax(), 1, 64).settled(),
        "Cannot start ranks: 1 ranks of 16 cores are to run, and there is room for 0 on the hosts of the 1 executors, whatever slots Spark was told of: 8 CPU clusters (8 of 8 cores) (ranks.count, ranks.cores, ranks.per-cluster, ranks.across-clusters, spark.task.cpus)");
  }

  @Test
  void anExecutorsCoresBoundARank() {
    ClusterOffer offer = new Cluster("", Hosts.xeonMax(), 1, 64).settled();
    ClusterOffer small = new ClusterOffer(offer.hosts(), 0, true, 4, cores -> 16 / cores, false);
    assertThat(small.size()).contains(new Size(4, 4));
  }
}
