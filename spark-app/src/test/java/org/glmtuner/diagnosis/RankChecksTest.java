package org.glmtuner.diagnosis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RankChecksTest {
  private final Findings findings = new Findings("host");

  private Finding only() {
    assertThat(findings.list()).hasSize(1);
    return findings.list().get(0);
  }

  @Test
  void ratesAreSaidInTextAndNumbers() {
    RankChecks.rates(findings, 8, 1.25e12, 5.05e10, true);
    assertThat(only().found())
        .isEqualTo("8 threads: products 1250 GFLOP/s, reading 50.5 GB/s, alone");
    assertThat(only().values())
        .containsEntry("gflops", 1250.0)
        .containsEntry("read_gb_per_second", 50.5);
  }

  @Test
  void instructionsThatTheCpuLacksAreNoWarning() {
    RankChecks.kernels(findings, Set.of("avx2"), "avx2/bf16", List.of("amx: this CPU has none"));
    assertThat(only().verdict()).isEqualTo(Verdict.OK);
    assertThat(only().found()).isEqualTo("avx2/bf16; not amx: this CPU has none");
  }

  @Test
  void amxThatTheCpuHasAndRanksMayNotUseIsAWarningWithTheWayOut() {
    Set<String> flags = Set.of("avx2", "avx512f", "amx_tile", "amx_bf16");
    RankChecks.kernels(
        findings, flags, "avx512bf16/bf16", List.of("amx: the kernel does not let it be used"));
    assertThat(only().verdict()).isEqualTo(Verdict.WARNING);
    assertThat(only().found())
        .isEqualTo("avx512bf16/bf16; not amx: the kernel does not let it be used");
    assertThat(only().advice()).contains("AMX", "Linux 5.16", "arch_prctl");
  }

  @Test
  void amxThatIsUsedIsNoWarning() {
    RankChecks.kernels(findings, Set.of("amx_tile", "amx_bf16"), "amx/bf16", List.of());
    assertThat(only().verdict()).isEqualTo(Verdict.OK);
  }

  @Test
  void aSlowRankHoldsUpAllOthers() {
    RankChecks.balance(findings, List.of(100e9, 99e9, 70e9));
    assertThat(only().verdict()).isEqualTo(Verdict.WARNING);
    assertThat(only().found()).isEqualTo("the slowest of 3 ranks has 70 GFLOP/s, the fastest 100");
  }

  @Test
  void smallDifferencesAreOrdinary() {
    RankChecks.balance(findings, List.of(100e9, 90e9));
    assertThat(only().verdict()).isEqualTo(Verdict.OK);
  }

  @Test
  void aBindingThatDidNotWorkIsAWarning() {
    RankChecks.binding(findings, false, "its threads are on CPUs 0,1 instead of 0");
    assertThat(only().verdict()).isEqualTo(Verdict.WARNING);
  }

  @Test
  void aSumIsSaidWithItsBandwidth() {
    RankChecks.sums(findings, "2 ranks on 1 host", 117_440_512, 0.1, 25e-6);
    assertThat(only().found())
        .isEqualTo("2 ranks on 1 host: 117 MB in 0.100 s (1.17 GB/s), a few values in 25 us");
  }

  @Test
  void clocksAreJudgedByWhatIsCertain() {
    ClockCheck.judge(findings, 0.4, 0.001);
    ClockCheck.judge(findings, -3, 0.001);
    ClockCheck.judge(findings, 3, 2.5);
    ClockCheck.judge(findings, 400, 1);
    assertThat(findings.list().stream().map(Finding::verdict))
        .containsExactly(Verdict.OK, Verdict.WARNING, Verdict.OK, Verdict.PROBLEM);
    assertThat(findings.list().get(1).found())
        .isEqualTo("-3.000 s against the driver, give or take 0.001 s");
  }
}
