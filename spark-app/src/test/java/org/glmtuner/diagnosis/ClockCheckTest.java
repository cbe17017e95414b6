package org.glmtuner.diagnosis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClockCheckTest {
  private final Findings findings = new Findings("host");

  /** Kerberos allows five minutes. */
  @ParameterizedTest
  @CsvSource({"0.5, OK", "61, WARNING", "-299, WARNING", "301.5, PROBLEM", "-400, PROBLEM"})
  void theDifferenceIsJudgedAndToldToMachinesWhateverItIs(double seconds, Verdict verdict) {
    ClockCheck.judge(findings, seconds, 0.5);
    assertThat(findings.list())
        .singleElement()
        .satisfies(clock -> assertThat(clock.verdict()).isEqualTo(verdict))
        .satisfies(clock -> assertThat(clock.values()).containsEntry("clock_seconds", seconds));
  }
}
