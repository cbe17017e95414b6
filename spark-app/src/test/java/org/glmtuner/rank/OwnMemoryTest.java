package org.glmtuner.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.reference.NativeCode;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class OwnMemoryTest {
  private static final int NO_SUCH_NODE = 999;
  private static final String REFUSAL = "Cannot prefer the memory of NUMA node 999: ";

  @BeforeAll
  static void load() throws IOException {
    NativeCode.load();
  }

  private static RankPlacement preferring(int node, boolean required) {
    return new RankPlacement(List.of(), true, node, required);
  }

  @Test
  void nothingIsSaidWhereNothingIsAskedFor() {
    assertThat(OwnMemory.prefer(preferring(RankPlacement.NEAREST, true))).isEmpty();
  }

  @Test
  void whatTheConfigurationAsksForIsRefusedWhereTheKernelRefusesIt() {
    assertThatThrownBy(() -> OwnMemory.prefer(preferring(NO_SUCH_NODE, true)))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageStartingWith(REFUSAL)
        .hasMessageEndingWith(" (memory.kind = auto goes on without)");
  }

  @Test
  void otherwiseTheRankGoesOnAndSaysSo() {
    assertThat(OwnMemory.prefer(preferring(NO_SUCH_NODE, false)))
        .startsWith(", own memory wherever it is: " + REFUSAL);
  }
}
