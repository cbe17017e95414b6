package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.SmallDisk;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.config.Precision;
import org.glmtuner.diagnosis.Finding;
import org.glmtuner.diagnosis.Findings;
import org.glmtuner.diagnosis.Verdict;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.model.RankMemory;
import org.glmtuner.storage.HadoopSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostCheckupTest {
  private static final long WEIGHTS = 100 << 20;

  @TempDir Path directory;

  /** Of a host that has no weight file yet. */
  private static Finding cache(Path cache) throws Exception {
    DoctorPlan plan =
        new DoctorPlan(
            "check",
            ConfigLoader.load("", "", Map.of("cache.directory", cache.toString())),
            HadoopSettings.of(new Configuration(false)),
            1,
            0,
            new DoctorPlan.Base(
                "0123456789abcdef",
                new MicroBatchMemory(
                    RankMemory.of(
                        ModelShapes.chatGlm6b(), ChatGlmConfig.Prefix.NONE, Precision.BF16, 1),
                    WEIGHTS,
                    new MicroBatchTokens.Auto(),
                    MicroBatchMemory.Samples.unknown(1))),
            "");
    Findings findings = new Findings("here");
    new HostCheckup(plan, findings).run();
    return findings.list().stream()
        .filter(finding -> finding.check().equals("cache"))
        .findFirst()
        .orElseThrow();
  }

  private static long libraries() throws IOException, InterruptedException {
    Path there = NativeLibraries.provide(Path.of("target/test-cache")).nativeDdp().getParent();
    try (Stream<Path> files = Files.walk(there)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  @Test
  void aCacheDirectoryNeedsRoomForTheWeightsBesideTheLibraries() throws Exception {
    long both = libraries() + WEIGHTS;
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("small"), both - WEIGHTS / 2)) {
      assertThat(cache(disk.directory()).verdict()).isEqualTo(Verdict.PROBLEM);
      assertThat(cache(disk.directory()).found()).contains("0.1 GB free, the weights need 0.1 GB");
    }
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("large"), both + WEIGHTS / 2)) {
      assertThat(cache(disk.directory()).verdict()).isEqualTo(Verdict.OK);
    }
  }
}
