package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.glmtuner.executor.CpuTopology;
import org.glmtuner.executor.CpuTopology.CpuCluster;
import org.glmtuner.executor.ExecutorFacts;
import org.junit.jupiter.api.Test;

class RankLayoutTest {
  private static ExecutorFacts executor(String id, String node, int... cpus) {
    return new ExecutorFacts(id, node, new CpuTopology(List.of(new CpuCluster(0, cpus))));
  }

  @Test
  void executorsThatShareCpusCountThemOnce() {
    List<ExecutorFacts> facts = List.of(executor("0", "a", 0, 1), executor("1", "a", 0, 1));
    assertThat(RankLayout.groups(facts, 1)).isEqualTo(2);
    assertThat(RankLayout.groups(facts, 2)).isEqualTo(1);
  }

  @Test
  void hostsAndDisjointExecutorsAddUp() {
    List<ExecutorFacts> facts =
        List.of(executor("0", "a", 0, 1), executor("1", "a", 2, 3), executor("2", "b", 0, 1, 2));
    assertThat(RankLayout.groups(facts, 2)).isEqualTo(3);
  }
}
