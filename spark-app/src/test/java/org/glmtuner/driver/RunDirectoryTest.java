package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunDirectoryTest {
  @TempDir Path directory;

  private RunDirectory run() throws IOException {
    return new RunDirectory(
        Directory.of(
            directory.resolve("run").toUri().toString(), HadoopSettings.of(new Configuration())));
  }

  private static TunerConfig training(String rows) {
    return ConfigLoader.load("", "", Map.of("data.train", rows));
  }

  @Test
  void countsItsAttempts() throws IOException {
    assertThat(run().claim(training("rows"))).isEqualTo(1);
    assertThat(run().claim(training("rows"))).isEqualTo(2);
  }

  @Test
  void aConfigurationThatNothingWasComputedWithMayBeMended() throws IOException {
    run().claim(training("rosw"));
    assertThat(run().claim(training("rows"))).isEqualTo(2);
    assertThat(Files.readString(directory.resolve("run/run.conf"))).contains("train=rows");
  }

  @Test
  void itBelongsToTheConfigurationThatItsSamplesWereMadeWith() throws IOException {
    run().claim(training("rows"));
    Path samples = Files.createDirectory(directory.resolve("run/samples"));
    Files.writeString(samples.resolve("counts.json"), "{}");
    assertThatThrownBy(() -> run().claim(training("others")))
        .isInstanceOf(TunerException.class)
        .hasMessageContaining(
            "it belongs to another run: configuration key data.train was rows, is others");
  }

  @Test
  void itBelongsToTheConfigurationThatItsCheckpointsWereMadeWith() throws IOException {
    run().claim(training("rows"));
    Files.createDirectory(directory.resolve("run/checkpoint-10"));
    assertThatThrownBy(() -> run().claim(training("others")))
        .hasMessageContaining("it belongs to another run");
  }

  @Test
  void whatAnInterruptedClaimHasLeftIsNoForeignFile() throws IOException {
    Files.createDirectory(directory.resolve("run"));
    Files.writeString(directory.resolve("run/.run.json.tmp"), "{");
    assertThat(run().claim(training("rows"))).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "null", "{}", "{\"configuration\": {}}", "{\"fingerprints\": {}}", "[]", "{"})
  void aRunJsonThatIsNoRunsIsRefused(String text) throws IOException {
    Files.createDirectory(directory.resolve("run"));
    Files.writeString(directory.resolve("run/run.json"), text);
    assertThatThrownBy(() -> run().claim(training("rows")))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessageMatching("Cannot read file:.*/run/run.json: .+");
  }

  @Test
  void aDriverNoticesThatAnotherHasTakenOver() throws IOException {
    RunDirectory first = run();
    first.claim(training("rows"));
    assertThatCode(first::checkHeld).doesNotThrowAnyException();
    run().claim(training("rows"));
    assertThatThrownBy(first::checkHeld)
        .isInstanceOf(TunerException.class)
        .hasMessageContaining("another driver has taken over run.directory file:");
  }
}
