package org.glmtuner.diagnosis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On hosts that are files. */
class HostChecksTest {
  private static final String LIMITS =
      """
      Limit                     Soft Limit           Hard Limit           Units
      Max file size             unlimited            unlimited            bytes
      Max data size             unlimited            unlimited            bytes
      Max processes             96365                96365                processes
      Max open files            20000                20000                files
      Max locked memory         8388608              8388608              bytes
      Max address space         unlimited            unlimited            bytes
      """;

  @TempDir Path root;
  private Findings findings;
  private HostChecks checks;

  @BeforeEach
  void open() {
    findings = new Findings("host");
    checks = new HostChecks(root, findings);
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text + "\n");
  }

  private Finding only() {
    assertThat(findings.list()).hasSize(1);
    return findings.list().get(0);
  }

  private void found(Verdict verdict, String... texts) {
    assertThat(only().verdict()).as(only().found()).isEqualTo(verdict);
    assertThat(only().found()).contains(texts);
    assertThat(only().advice().isEmpty())
        .as("advice where something is to be done: %s", only().advice())
        .isEqualTo(verdict == Verdict.OK || verdict == Verdict.SKIPPED);
  }

  @Test
  void theCpuIsNamedWithTheInstructionsThatMatter() throws IOException {
    write(
        "proc/cpuinfo",
        "processor\t: 0\nmodel name\t: Xeon Max\nflags\t\t: fpu sse2 fma avx2 avx512f amx_tile");
    checks.cpu();
    found(Verdict.OK, "Xeon Max; avx2 fma avx512f amx_tile");
  }

  @Test
  void aCpuWithoutFmaIsSlow() throws IOException {
    write("proc/cpuinfo", "model name\t: Old\nflags\t\t: fpu sse2 avx2 avx512fp16");
    checks.cpu();
    found(Verdict.WARNING, "Old", "AVX2 or FMA is missing");
  }

  @Test
  void aHostThatSaysNothingOfItsCpuIsNoFastOne() {
    checks.cpu();
    found(Verdict.WARNING, "unknown CPU");
  }

  @Test
  void hugePagesAreToBeHad() throws IOException {
    write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
    checks.hugePages();
    found(Verdict.OK, "madvise");
  }

  @Test
  void switchedOffHugePagesAreSaid() throws IOException {
    write("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]");
    checks.hugePages();
    found(Verdict.WARNING, "never");
  }

  @Test
  void aKernelWithoutHugePagesIsPassedOver() {
    checks.hugePages();
    found(Verdict.SKIPPED, "does not say");
  }

  @Test
  void aGovernorThatSavesPowerIsSaid() throws IOException {
    write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance");
    write("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave");
    write("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq");
    checks.frequencies();
    found(Verdict.WARNING, "performance, powersave (acpi-cpufreq)");
  }

  @Test
  void aDriverThatChoosesByItselfMayBeCalledPowersave() throws IOException {
    write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
    write("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "intel_pstate");
    checks.frequencies();
    found(Verdict.OK, "powersave (intel_pstate)");
  }

  @Test
  void virtualMachinesHaveNoGovernor() {
    checks.frequencies();
    found(Verdict.SKIPPED, "not to be seen here");
  }

  @Test
  void ordinaryLimitsAreEnough() throws IOException {
    write("proc/self/limits", LIMITS);
    checks.limits();
    found(Verdict.OK, "locked memory 8 MB");
  }

  @Test
  void fewFilesAndThreadsAreSaidWithTheCommand() throws IOException {
    write("proc/self/limits", LIMITS.replace("20000", "256  ").replace("96365", "100  "));
    checks.limits();
    found(Verdict.WARNING, "open files 256 (ulimit -n 1024)", "threads 100 (ulimit -u 1024)");
  }

  @Test
  void weightsCannotBeMappedIntoALimitedAddressSpace() throws IOException {
    write(
        "proc/self/limits",
        LIMITS.replace(
            "Max address space         unlimited ", "Max address space         1073741824"));
    checks.limits();
    found(Verdict.PROBLEM, "address space 1073741824");
  }

  @Test
  void sharedMemoryIsEnoughForTheRanksOfTheHost() {
    checks.sharedMemory(64 << 20, 8);
    found(Verdict.OK, "67 MB free, 8 ranks need 48 MB");
  }

  @Test
  void theSharedMemoryOfAContainerIsTooSmallForManyRanks() {
    checks.sharedMemory(64 << 20, 16);
    found(Verdict.PROBLEM, "67 MB free, 16 ranks need 96 MB");
    assertThat(only().advice()).contains("--shm-size", "emptyDir");
    assertThat(only().values())
        .isEqualTo(Map.of("free_bytes", (double) (64 << 20), "needed_bytes", 96e6));
  }

  @Test
  void withoutSharedMemoryNothingRuns() {
    checks.sharedMemory(-1, 1);
    found(Verdict.PROBLEM, "does not exist");
  }

  @Test
  void theCacheNeedsRoomForTheWeights() {
    checks.cache(Path.of("/cache"), 10_000_000_000L, 12_347_000_000L);
    found(Verdict.PROBLEM, "/cache", "10.0 GB free, the weights need 12.3 GB");
    assertThat(only().values())
        .isEqualTo(Map.of("free_bytes", 10_000_000_000.0, "needed_bytes", 12_347_000_000.0));
  }

  @Test
  void aFileOfTheWeightsSizeMustBeAllowed() throws IOException {
    write(
        "proc/self/limits",
        LIMITS.replace(
            "Max file size             unlimited ", "Max file size             1048576"));
    checks.cache(Path.of("/cache"), 20_000_000_000L, 12_347_000_000L);
    found(Verdict.PROBLEM, "files may have 1048576 bytes");
  }

  @Test
  void theCacheMayHoldTheWeightsAlready() {
    checks.cache(Path.of("/cache"), 1_000_000_000L, 0);
    found(Verdict.OK, "/cache can be written, 1.0 GB free");
  }

  @Test
  void allIsAskedOfThisHostToo() {
    Findings here = new Findings("here");
    new HostChecks(here).all();
    assertThat(here.list().stream().map(Finding::check))
        .isEqualTo(List.of("cpu", "huge pages", "governor", "limits"));
  }
}
