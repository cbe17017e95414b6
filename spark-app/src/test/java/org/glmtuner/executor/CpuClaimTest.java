package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Hosts;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuClaimTest {
  private static final Topology FOUR_CPUS = Hosts.oneNode(0, 1, 2, 3);
  private static final RanksConfig RANKS = Hosts.ranks("");

  @TempDir Path cache;

  private CpuClaim take(int cores) throws IOException, InterruptedException {
    return take(FOUR_CPUS, cores);
  }

  private CpuClaim take(Topology host, int cores) throws IOException, InterruptedException {
    RankGroups groups = RankGroups.ofCores(host, RANKS, cores);
    return CpuClaim.take(groups, cache, Duration.ZERO, () -> false);
  }

  @Test
  void claimsOfDifferentSizesExcludeEachOther() throws Exception {
    try (CpuClaim two = take(2);
        CpuClaim one = take(1);
        CpuClaim another = take(1)) {
      assertThat(two.group().cpus()).containsExactly(0, 1);
      assertThat(one.group().cpus()).containsExactly(2);
      assertThat(another.group().cpus()).containsExactly(3);
      assertThatThrownBy(() -> take(1))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.NO_FREE_SLOTS))
          .hasMessageContaining("all 4 groups of 1 cores are in use");
    }
    try (CpuClaim all = take(4)) {
      assertThat(all.group().cpus()).containsExactly(0, 1, 2, 3);
    }
  }

  @Test
  void aFailedClaimLeavesNothingClaimed() throws Exception {
    try (CpuClaim first = take(1);
        CpuClaim pair = take(2)) {
      assertThat(first.group().cpus()).containsExactly(0);
      assertThat(pair.group().cpus()).containsExactly(2, 3);
      assertThatThrownBy(() -> take(2)).isInstanceOf(TunerException.class);
      try (CpuClaim last = take(1)) {
        assertThat(last.group().cpus()).containsExactly(1);
      }
    }
  }

  @Test
  void anotherProcessKeepsItsCpusUntilItDies() throws Exception {
    // the rank's byte of CPU 0, as RankMain locks it
    Process other =
        new ProcessBuilder(
                "python3",
                "-c",
                """
                import fcntl, sys
                f = open(sys.argv[1], 'w')
                fcntl.lockf(f, fcntl.LOCK_EX, 1, 1)
                print('locked', flush=True)
                sys.stdin.read()
                """,
                CpuClaim.lockFile(cache).toString())
            .start();
    assertThat(other.inputReader().readLine()).isEqualTo("locked");
    try (CpuClaim claim = take(1)) {
      assertThat(claim.group().cpus()).containsExactly(1);
    }
    other.destroyForcibly();
    assertThat(other.waitFor(5, TimeUnit.SECONDS)).isTrue();
    try (CpuClaim claim = take(1)) {
      assertThat(claim.group().cpus()).containsExactly(0);
    }
  }

  @Test
  void theOtherThreadOfAClaimedCoreCannotBeClaimed() throws Exception {
    Topology host =
        new Topology(
            List.of(
                new CpuCluster(
                    0, List.of(new Core(List.of(0, 2), 0), new Core(List.of(1, 3), 0)), List.of())),
            List.of());
    try (CpuClaim one = take(host, 1)) {
      assertThat(one.group().cpus()).containsExactly(0);
      assertThat(one.group().claimed()).containsExactly(0, 2);
      assertThatThrownBy(() -> take(host.restrictedTo(List.of(2)), 1))
          .as("by a process that may use the second thread only")
          .isInstanceOfSatisfying(
              TunerException.class,
              e -> assertThat(e.exitCode()).isEqualTo(ExitCode.NO_FREE_SLOTS));
      try (CpuClaim other = take(host, 1)) {
        assertThat(other.group().claimed()).containsExactly(1, 3);
      }
    }
    try (CpuClaim second = take(host.restrictedTo(List.of(2)), 1)) {
      assertThat(second.group().cpus()).containsExactly(2);
    }
  }
}
