package org.glmtuner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.glmtuner.cli.SpeedOptions.Measured;
import org.glmtuner.executor.Calibration;
import org.glmtuner.executor.Calibration.Rates;
import org.junit.jupiter.api.Test;

class SpeedOptionsTest {
  @Test
  void aCoreWithTwoThreadsDoesWhatBothDo() {
    List<Rates> together = List.of(new Rates(800e9, 80e9), new Rates(1000e9, 100e9));
    for (int threads : new int[] {8, 16}) {
      Measured measured =
          new Measured(
              new Calibration("avx2/bf16", threads, together.get(0), together, List.of()), 8);
      assertThat(measured.perCore(Rates::operationsPerSecond)).isEqualTo(900e9 / 8);
      assertThat(measured.perCore(Rates::bytesPerSecond)).isEqualTo(90e9 / 8);
    }
  }
}
