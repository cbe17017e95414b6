package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class FrozenTransformerTest {
  @Test
  void aCpuWithoutTheInstructionsAskedForIsRefused() {
    FrozenTransformer.requireInstructions(Isa.GENERIC, "generic"::equals);
    assertThatThrownBy(() -> FrozenTransformer.requireInstructions(Isa.AVX2, "generic"::equals))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageStartingWith("Cannot compute with engine.isa = avx2: the CPU lacks");
  }
}
