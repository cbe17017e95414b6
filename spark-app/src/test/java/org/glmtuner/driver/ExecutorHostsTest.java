package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.glmtuner.executor.ExecutorFacts;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Hosts;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.Test;

class ExecutorHostsTest {
  private static ExecutorFacts executor(String id, String node, Topology topology, double time) {
    return new ExecutorFacts(id, node, topology, time, "");
  }

  private static ExecutorFacts executor(String id, String node, int... cpus) {
    return executor(id, node, Hosts.oneNode(cpus), Double.POSITIVE_INFINITY);
  }

  private static ExecutorHosts hosts(String ranks, ExecutorFacts... executors) {
    return ExecutorHosts.of(List.of(executors), Hosts.ranks(ranks));
  }

  @Test
  void executorsThatShareCpusCountThemOnce() {
    ExecutorHosts hosts = hosts("", executor("0", "a", 0, 1), executor("1", "a", 0, 1));
    assertThat(hosts.groups(1)).isEqualTo(2);
    assertThat(hosts.groups(2)).isEqualTo(1);
  }

  @Test
  void hostsAndDisjointExecutorsAddUp() {
    ExecutorHosts hosts =
        hosts("", executor("0", "a", 0, 1), executor("1", "a", 2, 3), executor("2", "b", 0, 1, 2));
    assertThat(hosts.groups(2)).isEqualTo(3);
    assertThat(hosts.coresOfCluster()).isEqualTo(2);
  }

  @Test
  void executorsWithLittleCpuTimeHoldFewerRanksTogether() {
    Topology host = Hosts.xeonMax();
    ExecutorHosts hosts =
        hosts(
            "",
            executor("0", "a", host, 16.5),
            executor("1", "a", host, 9),
            executor("2", "a", host, 2));
    assertThat(hosts.groups(8)).isEqualTo(2 + 1 + 1);
    assertThat(hosts.coresOfCluster()).isEqualTo(2);
  }

  @Test
  void clustersDecideTheSizeOfRanks() {
    ExecutorFacts max = executor("0", "a", Hosts.xeonMax(), Double.POSITIVE_INFINITY);
    assertThat(hosts("", max).coresOfCluster()).isEqualTo(8);
    assertThat(hosts("per-cluster = 2", max).coresOfCluster()).isEqualTo(4);
    assertThat(hosts("reserve-cores = 1", max).coresOfCluster()).isEqualTo(7);
    assertThat(hosts("", max).threadsOfCore()).isEqualTo(2);
    assertThat(hosts("", max).describe()).isEqualTo("8 CPU clusters (8 of 8 cores)");
  }

  @Test
  void aSmallClusterDoesNotMakeTheRanksOfAllHostsSmall() {
    ExecutorHosts hosts =
        hosts(
            "",
            executor("0", "a", Hosts.xeonMax(), Double.POSITIVE_INFINITY),
            executor("1", "b", 0, 1));
    assertThat(hosts.coresOfCluster()).isEqualTo(8);
    assertThat(hosts.tooSmall(8))
        .contains(
            "ranks have 8 cores, and CPU clusters with fewer have none: 1 CPU cluster (1 of 2 cores)");
    assertThat(hosts.tooSmall(2)).isEmpty();
    Topology uneven = Hosts.clusters(new int[] {0, 1, 2, 3}, new int[] {4});
    ExecutorHosts one = hosts("", executor("0", "a", uneven, Double.POSITIVE_INFINITY));
    assertThat(one.coresOfCluster()).isEqualTo(4);
    assertThat(one.tooSmall(4).orElseThrow()).startsWith("ranks have 4 cores, and CPU clusters");
  }

  @Test
  void anExecutorWithoutATopologyIsNamedWithItsReason() {
    ExecutorFacts blind = new ExecutorFacts("7", "a", null, 1, "Cannot read it: no permission");
    assertThatThrownBy(() -> hosts("", executor("0", "a", 0), blind))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage("Cannot use executor 7: Cannot read it: no permission");
  }
}
