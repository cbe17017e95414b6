package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.CpuList;
import org.glmtuner.topology.Hosts;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BindingTest {
  private static final RanksConfig RANKS = Hosts.ranks("");

  @TempDir static Path directory;
  private static Topology host;
  private static CpuGroup group;

  @BeforeAll
  static void readHost() throws InterruptedException {
    host = HostTopology.read(directory.resolve("cache"));
    group = RankGroups.ofCores(host, RANKS, 1).groups().get(0);
  }

  private static String program(String body) throws IOException {
    Path program = Files.writeString(directory.resolve("fake"), "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    return program.toString();
  }

  /** Starts a process with two threads and reads its binding back. */
  private static Binding.Readback readBack(Binding binding) throws Exception {
    List<String> command = new ArrayList<>(binding.command());
    command.addAll(
        List.of(
            "python3",
            "-c",
            """
            import sys, threading
            threading.Thread(target=sys.stdin.read).start()
            print('ready', flush=True)
            """));
    Process process = new ProcessBuilder(command).start();
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("ready");
      int[] own = binding.command().isEmpty() ? ints(host.cpus()) : ints(group.cpus());
      return binding.readBack(process.pid(), own);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static int[] ints(List<Integer> cpus) {
    return cpus.stream().mapToInt(Integer::intValue).toArray();
  }

  @Test
  void allThreadsOfABoundProcessAreOnItsCpus() throws Exception {
    Binding.Readback readback = readBack(Binding.of(group, true));
    assertThat(readback.asPlanned()).isTrue();
    assertThat(readback.text())
        .isEqualTo(
            "all 2 threads are bound to CPUs "
                + CpuList.format(group.cpus())
                + ", NUMA node "
                + CpuList.format(group.nodes()));
  }

  @Test
  void whereTasksetIsForbiddenTheProcessRunsUnboundAndSaysWhy() throws Exception {
    String refusing = program("echo 'taskset: Operation not permitted' >&2; exit 1");
    Binding binding = Binding.of(group, false, refusing);
    assertThat(binding.command()).isEmpty();
    Binding.Readback readback = readBack(binding);
    if (host.cpus().size() > 1) { // with one, an unbound process is where it should be
      assertThat(readback.asPlanned()).isFalse();
      assertThat(readback.text()).startsWith("it runs unbound").contains("Operation not permitted");
    }
    assertThatThrownBy(() -> Binding.of(group, true, refusing))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot bind a rank to CPUs "
                + CpuList.format(group.cpus())
                + ": taskset: Operation not permitted (ranks.require-binding)");
  }

  @Test
  void aMissingTasksetAndCpusThatAreNotThereAreObstacles() throws Exception {
    assertThat(Binding.of(group, false, "/nowhere/taskset").obstacle())
        .contains("/nowhere/taskset");
    CpuGroup absent = new CpuGroup(0, List.of(4000), List.of(4000), List.of());
    assertThat(Binding.of(absent, false).obstacle()).contains("failed to set");
    assertThatThrownBy(() -> Binding.of(absent, true)).hasMessageContaining("CPUs 4000: taskset");
  }

  @Test
  void aProcessThatIsElsewhereThanPlannedIsNoticed() throws Exception {
    String pretending = program("exit 0"); // says yes and binds nothing
    CpuGroup absent = new CpuGroup(0, List.of(4000), List.of(4000), List.of());
    Binding.Readback readback =
        Binding.of(absent, false, pretending)
            .readBack(ProcessHandle.current().pid(), ints(host.cpus()));
    assertThat(readback.asPlanned()).isFalse();
    assertThat(readback.text()).startsWith("its threads are on CPUs ").endsWith("instead of 4000");
    Binding required = Binding.of(absent, true, pretending);
    assertThatThrownBy(() -> required.readBack(ProcessHandle.current().pid(), ints(host.cpus())))
        .isInstanceOf(TunerException.class)
        .hasMessageContaining("(ranks.require-binding)");
  }
}
