package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Hosts;
import org.junit.jupiter.api.Test;

class RankPlanTest {
  private static String facts(
      int partition, String host, String node, int socket, Integer... cpus) {
    return new RankPlan.Facts(
            partition,
            new HostIdentity(host, node),
            Hosts.group(socket, cpus),
            List.of(
                new MemoryLimit(MemoryLimit.Kind.HOST, "", 1L << 33),
                new MemoryLimit(MemoryLimit.Kind.CONTROL_GROUP, "/a:b", 1L << 32)))
        .encode();
  }

  @Test
  void ranksAreOrderedByHostSocketAndCpuWhateverThePartitions() {
    RankPlan plan =
        RankPlan.of(
            new String[] {
              facts(0, "b", "node-b", 0, 0, 1),
              facts(1, "a", "node-a", 1, 4, 5),
              facts(2, "a", "node-a", 0, 2, 3),
              facts(3, "a", "node-a", 0, 0, 1)
            });
    assertThat(plan.worldSize()).isEqualTo(4);
    assertThat(List.of(3, 2, 1, 0))
        .allSatisfy(p -> assertThat(plan.rankOfPartition(p)).isEqualTo(3 - p));
    assertThat(plan.processMapping()).isEqualTo("(vector,(0,1,3),(1,1,1))");
  }

  @Test
  void factsReadBackAsTheyWereWritten() {
    RankPlan.Facts facts =
        new RankPlan.Facts(
            3,
            new HostIdentity("a", "node-a"),
            new CpuGroup(1, List.of(4, 5), List.of(4, 5, 68, 69), List.of(2, 10)),
            List.of(new MemoryLimit(MemoryLimit.Kind.CONTROL_GROUP, "/a:b", 7)));
    assertThat(RankPlan.Facts.decode(facts.encode())).isEqualTo(facts);
  }

  @Test
  void everyTaskComputesTheSamePlan() {
    String[] gathered = {
      facts(0, "a", "n", 0, 0), facts(1, "a", "n", 0, 1), facts(2, "b", "m", 0, 0)
    };
    RankPlan plan = RankPlan.of(gathered);
    List<String> shuffled = Arrays.asList(gathered.clone());
    Collections.reverse(shuffled);
    RankPlan other = RankPlan.of(shuffled.toArray(String[]::new));
    assertThat(other.processMapping()).isEqualTo(plan.processMapping());
    assertThat(List.of(0, 1, 2))
        .allSatisfy(p -> assertThat(other.rankOfPartition(p)).isEqualTo(plan.rankOfPartition(p)));
  }

  @Test
  void containersOfOneMachineAreDifferentNodes() {
    RankPlan plan =
        RankPlan.of(new String[] {facts(0, "a", "pod-1", 0, 0), facts(1, "a", "pod-2", 0, 1)});
    assertThat(plan.processMapping()).isEqualTo("(vector,(0,1,1),(1,1,1))");
  }
}
