package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuList;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With real ranks: whose cores are whose, as the kernel tells. */
class CpuClaimIT {
  private static final String ALLOWED = "Cpus_allowed_list:";
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir static Path directory;

  private static TunerConfig config;
  private static Topology host;

  @BeforeAll
  static void readTheHost() throws InterruptedException {
    config =
        OneRank.config(
            directory.resolve("cache").toString(), directory.resolve("cpus.lock").toString());
    host = HostTopology.read(config.cache().path());
  }

  private static Process start(String cache, String claims) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            OneRank.class.getName(),
            directory.resolve(cache).toString(),
            directory.resolve(claims).toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** The CPUs of the rank that such a process has started. */
  private static List<Integer> cpus(Process process) throws IOException {
    BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
    String line = said.readLine();
    while (line != null && !line.startsWith("rank ")) {
      line = said.readLine();
    }
    assertThat(line).as("what says where the rank is").isNotNull();
    Path status = Path.of("/proc/" + line.substring("rank ".length()) + "/status");
    String allowed =
        Files.readAllLines(status).stream()
            .filter(one -> one.startsWith(ALLOWED))
            .findFirst()
            .orElseThrow();
    return CpuList.parse(allowed.substring(ALLOWED.length()));
  }

  @Test
  void processesWithCacheDirectoriesOfTheirOwnDoNotShareCores() throws Exception {
    assumeThat(host.cpus().size()).as("CPUs, of which two ranks need two").isGreaterThan(1);
    List<Process> processes = new ArrayList<>();
    try {
      processes.add(start("first", "shared"));
      processes.add(start("second", "shared"));
      List<Integer> first = cpus(processes.get(0));
      List<Integer> second = cpus(processes.get(1));
      assertThat(first).hasSize(1);
      assertThat(second).hasSize(1).isNotEqualTo(first);
      for (Process process : processes) {
        process.getOutputStream().close();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
      }
    } finally {
      processes.forEach(Process::destroyForcibly);
    }
  }

  /** Whether the kernel says that the process has this byte of a file locked, and no other. */
  private static boolean hasLocked(long process, int position) throws IOException {
    return Files.readAllLines(Path.of("/proc/locks")).stream()
        .map(line -> line.strip().split("\\s+", -1))
        .anyMatch(
            fields ->
                fields[1].equals("POSIX")
                    && fields[4].equals(Long.toString(process))
                    && fields[6].equals(Integer.toString(position))
                    && fields[7].equals(Integer.toString(position)));
  }

  private static CpuClaim take(List<Integer> cpus) throws IOException, InterruptedException {
    RankGroups groups = RankGroups.ofCores(host.restrictedTo(cpus), config.ranks(), 1);
    Path claims = Path.of(config.ranks().pinning().claims());
    return CpuClaim.take(groups, claims, Duration.ZERO, TaskSignal.NEVER);
  }

  @Test
  void aRankKeepsItsCoreAsLongAsItLives() throws Exception {
    List<Integer> cpus;
    try (RankHost rank =
        RankHost.open(config, RankHost.Purpose.SERVER, host, 1, TaskSignal.NEVER)) {
      cpus = rank.claim().group().cpus();
      long process = rank.session().pid();
      await().atMost(LIMIT).until(() -> hasLocked(process, 2 * cpus.get(0) + 1));
      collectGarbage(process);
      assertThat(hasLocked(process, 2 * cpus.get(0) + 1)).as("after garbage collection").isTrue();
      rank.claim().close(); // as the kernel does where the task's process dies
      assertThatThrownBy(() -> take(cpus))
          .isInstanceOfSatisfying(
              TunerException.class,
              e -> assertThat(e.exitCode()).isEqualTo(ExitCode.NO_FREE_SLOTS));
    }
    try (CpuClaim next = take(cpus)) {
      assertThat(next.group().cpus()).isEqualTo(cpus);
    }
  }

  /** What closes files that nobody refers to. */
  private static void collectGarbage(long process) throws Exception {
    for (int i = 0; i < 2; i++) {
      Process collector =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin/jcmd").toString(),
                  Long.toString(process),
                  "GC.run")
              .redirectErrorStream(true)
              .start();
      assertThat(collector.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(new String(collector.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .contains("Command executed successfully");
    }
  }
}
