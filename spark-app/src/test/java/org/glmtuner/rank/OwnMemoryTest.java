package org.glmtuner.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.nativeddp.PlacementRefusedException;
import org.glmtuner.placement.RankPlacement;
import org.junit.jupiter.api.Test;

class OwnMemoryTest {
  private static final String REFUSAL =
      "Cannot prefer the memory of NUMA node 9: Operation not permitted";

  private static RankPlacement preferring(int node, boolean copy, boolean preference) {
    return new RankPlacement(List.of(), true, node, copy, preference);
  }

  /** As in a container that forbids set_mempolicy. */
  private static void refuse(int node) {
    throw new PlacementRefusedException(REFUSAL);
  }

  @Test
  void theKernelIsAskedWhereANodeIsPreferredOnly() {
    List<Integer> asked = new ArrayList<>();
    assertThat(OwnMemory.prefer(preferring(9, false, false), asked::add))
        .isEqualTo(", own memory from NUMA node 9 first");
    assertThat(OwnMemory.prefer(RankPlacement.MAPPED, asked::add)).isEmpty();
    assertThat(asked).containsExactly(9);
  }

  @Test
  void aRefusalIsToldAndBorneUnlessTheConfigurationAsksForThePreference() {
    for (boolean copy : new boolean[] {false, true}) {
      assertThat(OwnMemory.prefer(preferring(9, copy, false), OwnMemoryTest::refuse))
          .isEqualTo(", own memory wherever it is: " + REFUSAL);
    }
    assertThatThrownBy(() -> OwnMemory.prefer(preferring(9, false, true), OwnMemoryTest::refuse))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(REFUSAL + " (memory.kind = auto goes on without)");
  }
}
