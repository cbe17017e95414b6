package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.ClaimsFile;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.topology.Hosts;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CpuClaimTest {
  private static final Topology FOUR_CPUS = Hosts.oneNode(0, 1, 2, 3);
  private static final RanksConfig RANKS = Hosts.ranks("");

  @TempDir Path directory;

  private Path claims;

  @BeforeEach
  void nameTheFile() {
    claims = directory.resolve("cpus.lock");
  }

  private CpuClaim take(int cores) throws IOException, InterruptedException {
    return take(FOUR_CPUS, cores);
  }

  private CpuClaim take(Topology host, int cores) throws IOException, InterruptedException {
    RankGroups groups = RankGroups.ofCores(host, RANKS, cores);
    return CpuClaim.take(groups, claims, Duration.ZERO, TaskSignal.NEVER);
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
  void aLockThatCannotBeAskedForLeavesNothingClaimed() throws Exception {
    ClaimsFile.of(claims);
    try (FileChannel other = FileChannel.open(claims, StandardOpenOption.WRITE);
        FileLock overlapping = other.lock(2 * 2, 1, false)) { // of CPU 2, in this process
      assertThat(overlapping.isValid()).isTrue();
      assertThatThrownBy(() -> take(3)).isInstanceOf(OverlappingFileLockException.class);
    }
    try (CpuClaim all = take(4)) {
      assertThat(all.group().cpus()).containsExactly(0, 1, 2, 3);
    }
  }

  /** Locks a byte of the file, which is there, until it is killed. */
  private Process locker(int position, String... launcher) throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher));
    command.addAll(
        List.of(
            "python3",
            "-c",
            """
            import fcntl, sys
            f = open(sys.argv[1], 'r+')
            fcntl.lockf(f, fcntl.LOCK_EX, 1, int(sys.argv[2]))
            print('locked', flush=True)
            sys.stdin.read()
            """,
            claims.toString(),
            Integer.toString(position)));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    assertThat(process.inputReader().readLine()).isEqualTo("locked");
    return process;
  }

  private static void kill(Process process) throws InterruptedException {
    process.destroyForcibly();
    assertThat(process.waitFor(5, TimeUnit.SECONDS)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1}) // of a task and of a rank
  void anotherProcessKeepsItsCpusUntilItDies(int position) throws Exception {
    ClaimsFile.of(claims);
    Process other = locker(position);
    try (CpuClaim claim = take(1)) {
      assertThat(claim.group().cpus()).containsExactly(1);
    }
    kill(other);
    try (CpuClaim claim = take(1)) {
      assertThat(claim.group().cpus()).containsExactly(0);
    }
  }

  @Test
  void soDoesOneOfAnotherUser() throws Exception {
    assumeThat(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))
        .as("the user, since only root can be another one")
        .isEqualTo(0);
    Path shared = Files.createTempDirectory(Path.of("/var/tmp"), "claims-");
    try {
      Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
      claims = shared.resolve("cpus.lock");
      ClaimsFile.of(claims);
      Process other =
          locker(
              0,
              "setpriv",
              "--reuid=65534",
              "--regid=65534",
              "--clear-groups",
              "--",
              "env",
              "PATH=/usr/bin:/bin"); // it may not enter where root has a python3 of its own
      try (CpuClaim claim = take(1)) {
        assertThat(claim.group().cpus()).containsExactly(1);
      }
      kill(other);
    } finally {
      PrivateDirectory.deleteTree(shared);
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
