package org.glmtuner.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopologyProbeTest {
  @TempDir Path directory;

  private Path program(String body) throws IOException {
    Path program = Files.writeString(directory.resolve("program"), "#!/bin/sh\n" + body + "\n");
    return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
  }

  private void refuses(Path program, String message) {
    assertThatThrownBy(() -> TopologyProbe.ofThisProcess(program))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageContaining(message);
  }

  @Test
  void whatTheProgramPrintsIsRead() throws Exception {
    Path program =
        program(
            """
            echo '{"hwloc": "2.9.0",
             "clusters": [{"socket": 1, "nodes": [0, 8], "cores": [{"cpus": [3, 67], "cache": 2}]}],
             "memory": [{"node": 0, "bytes": 64, "kind": "dram", "bandwidth": 7, "cache_bytes": 5},
                        {"node": 8, "bytes": 16, "kind": "hbm", "bandwidth": 9, "cache_bytes": 0}]}'
            """);
    assertThat(TopologyProbe.ofThisProcess(program))
        .isEqualTo(
            new Topology(
                List.of(
                    new Topology.CpuCluster(
                        1, List.of(new Topology.Core(List.of(3, 67), 2)), List.of(0, 8))),
                List.of(
                    new Topology.MemoryNode(0, 64, Topology.Kind.DRAM, 7, 5),
                    new Topology.MemoryNode(8, 16, Topology.Kind.HBM, 9, 0))));
  }

  @Test
  void aProgramThatSaysNoIsQuoted() throws Exception {
    refuses(program("echo 'Cannot read x: it is none' >&2; exit 1"), "Cannot read x: it is none");
    refuses(program("echo gone >&2; exit 9"), "program ended with status 9: gone");
  }

  @Test
  void outputOfAnotherKindIsRefused() throws Exception {
    refuses(program("echo hello"), "printed what is none: Invalid topology: hello");
    refuses(program("echo '{\"clusters\": [], \"memory\": []}'"), "it has no CPU");
    refuses(program(":"), "printed what is none");
  }

  @Test
  void aProgramThatCannotRunIsNamed() throws Exception {
    Path program = program("exit 0");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rw-------"));
    refuses(program, program + " cannot be run");
  }

  @Test
  void aProgramThatHangsIsEnded() throws Exception {
    List<String> command = List.of(program("exec sleep 600").toString());
    assertThatThrownBy(() -> TopologyProbe.run(command, Duration.ofMillis(200)))
        .isInstanceOf(TunerException.class)
        .hasMessageContaining("did not end within 0.2 s");
    assertThat(ProcessHandle.current().children().filter(ProcessHandle::isAlive))
        .noneMatch(child -> child.info().commandLine().orElse("").contains("sleep 600"));
  }
}
