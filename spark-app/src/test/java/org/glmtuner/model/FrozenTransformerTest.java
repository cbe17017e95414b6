package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class FrozenTransformerTest {
  @Test
  void instructionsThatTheMachineRefusesAreNamedWithTheReason() {
    FrozenTransformer.requireInstructions(Isa.GENERIC, isa -> Optional.empty());
    assertThatThrownBy(
            () -> FrozenTransformer.requireInstructions(Isa.AMX, isa -> Optional.of("no " + isa)))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot compute with engine.isa = amx: no amx (auto takes the best that works)");
  }
}
