package org.glmtuner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DoctorCommandTest {
  private static final Duration LONGEST = Duration.ofMinutes(2);

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void writeTheConfigurationOfARun() throws IOException {
    file = Files.writeString(directory.resolve("my.conf"), "ranks.wait = 30m, ranks.cores = 3");
  }

  private Duration patience(boolean cluster, String... options) throws IOException {
    DoctorCommand command = new DoctorCommand();
    new CommandLine(command).parseArgs(options);
    return command.configuration(cluster).ranks().patience();
  }

  @Test
  void noCheckWaitsForExecutorsOrCoresAsLongAsARun() throws Exception {
    for (boolean cluster : new boolean[] {false, true}) {
      assertThat(patience(cluster)).isPositive().isLessThan(LONGEST);
      assertThat(patience(cluster, "--config", file.toString())).isPositive().isLessThan(LONGEST);
    }
  }

  @Test
  void whoAsksForItWaitsLonger() throws Exception {
    assertThat(patience(true, "--config", file.toString(), "-D", "ranks.wait=5m"))
        .isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void allElseIsWhatTheRunHas() throws Exception {
    DoctorCommand command = new DoctorCommand();
    new CommandLine(command).parseArgs("--config", file.toString());
    assertThat(command.configuration(true).ranks().cores()).isEqualTo(3);
  }
}
