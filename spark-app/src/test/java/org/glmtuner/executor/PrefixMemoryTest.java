package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.glmtuner.executor.CpuTopology.CpuCluster;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.model.PrefixTensor;
import org.junit.jupiter.api.Test;

class PrefixMemoryTest {
  private static final long GIGA = 1_000_000_000;
  private static final long BASE = 12 * GIGA;

  private static long values(boolean projection) {
    return PrefixTensor.values(ModelShapes.chatGlm6b(), new Prefix(128, projection));
  }

  /** Of tasks on these hosts, each host with so much memory. */
  private static RankPlan plan(String[] hosts, long[] freeBytes) {
    String[] facts = new String[hosts.length];
    for (int i = 0; i < hosts.length; i++) {
      HostIdentity host = new HostIdentity(hosts[i], "node of " + hosts[i]);
      CpuCluster group = new CpuCluster(0, new int[] {i});
      facts[i] = new RankPlan.Facts(i, host, group, freeBytes[i]).encode();
    }
    return RankPlan.of(facts);
  }

  @Test
  void theEncodersOfTheRealModelHaveTheirOfficialSizes() {
    assertThat(values(false)).isEqualTo(29_360_128);
    assertThat(values(true)).isEqualTo(957_059_072);
  }

  @Test
  void theProjectedEncoderOfTheRealModelIsRefusedWithTheNumbersWhereItDoesNotFit() {
    RankPlan plan =
        plan(new String[] {"a", "a", "b"}, new long[] {54 * GIGA, 54 * GIGA, 32 * GIGA});
    assertThatThrownBy(() -> new PrefixMemory(values(true), BASE).check(plan))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot train: the prefix encoder has 957,059,072 trainable values; with their gradients and moments they take 15.3 GB of each of the 2 ranks on a, a checkpoint's copy 11.5 GB, with 12.0 GB of the base together 54.1 GB, and 54.0 GB are available there (prefix.projection, prefix.length, ranks.count)");
    assertThatCode(() -> new PrefixMemory(values(false), BASE).check(plan))
        .doesNotThrowAnyException();
  }

  @Test
  void onlyTheHostOfTheFirstRankNeedsRoomForACheckpoint() {
    String[] hosts = {"a", "b"};
    RankPlan enough = plan(hosts, new long[] {39 * GIGA, 28 * GIGA});
    assertThatCode(() -> new PrefixMemory(values(true), BASE).check(enough))
        .doesNotThrowAnyException();
    RankPlan tight = plan(hosts, new long[] {39 * GIGA, 27 * GIGA});
    assertThatThrownBy(() -> new PrefixMemory(values(true), BASE).check(tight))
        .hasMessageContaining(
            "15.3 GB of each of the 1 ranks on b, with 12.0 GB of the base together 27.3 GB");
  }

  @Test
  void thisHostHasMemory() throws IOException {
    assertThat(PrefixMemory.available()).isBetween(1L << 20, 1L << 50);
  }
}
