package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.glmtuner.executor.TaskMessage;
import org.glmtuner.executor.TaskMessage.Alive;
import org.glmtuner.executor.TaskMessage.Joined;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.wire.Frame.Phase;
import org.junit.jupiter.api.Test;

class AttemptMonitorTest {
  private static final String ATTEMPT = "AttemptMonitorTest";
  private static final Member FIRST = new Member(0, "a", "7");
  private static final Member SECOND = new Member(1, "b", "8");

  /** An executor that is lost takes its ranks with it, which people want to know by name. */
  @Test
  void ranksAreKnownFromWhenTheyJoinOrShowLife() {
    try (AttemptMonitor monitor =
        AttemptMonitor.open(ATTEMPT, 2, Duration.ofMinutes(1), message -> {})) {
      assertThat(monitor.members()).isEmpty();
      hear(monitor, new Joined(ATTEMPT, SECOND, "cpu", "mpi", "library", "kernels"));
      assertThat(monitor.members()).containsExactly(SECOND);
      hear(monitor, new Alive(ATTEMPT, FIRST, Phase.COMPUTING, 0, 0));
      hear(monitor, new Alive(ATTEMPT, SECOND, Phase.COMPUTING, 0, 0));
      assertThat(monitor.members()).containsExactly(FIRST, SECOND);
    }
  }

  private static void hear(AttemptMonitor monitor, TaskMessage message) {
    assertThat(monitor.apply(message)).isNull();
  }
}
