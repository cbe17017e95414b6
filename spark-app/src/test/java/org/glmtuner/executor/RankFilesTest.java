package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.SmallDisk;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.WeightCache;
import org.glmtuner.model.WeightFile;
import org.glmtuner.storage.HadoopSettings;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RankFilesTest {
  private static final int DISK = 1 << 20;
  private static final Path MODEL = Checkout.goldenSmall().resolve("model");

  @TempDir Path directory;

  private static void requireRoom(Path model, Path cache, long bytes) throws IOException {
    TunerConfig config =
        ConfigLoader.load(
            "", "", Map.of("model.path", model.toString(), "model.precision", "bf16"));
    RankFiles.requireRoom(config, HadoopSettings.of(new Configuration(false)), cache, bytes);
  }

  @Test
  void aDirectoryWithoutRoomForTheWeightsIsRefusedUnlessItHasThem() throws Exception {
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(MODEL));
        SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), DISK)) {
      Path cache = disk.directory();
      long bytes = WeightFile.bytes(weights.config(), Precision.BF16);
      assertThat(bytes).isBetween((long) DISK / 8, (long) DISK / 2);
      requireRoom(MODEL, cache, bytes);
      Path other = Files.write(cache.resolve("other"), new byte[DISK - (int) bytes / 2]);
      assertThatThrownBy(() -> requireRoom(MODEL, cache, bytes))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessageMatching(
              "Cannot write .*/disk/weights/.*-bf16.safetensors: it needs \\d+ bytes, its file system has \\d+ free");
      Files.delete(other);
      WeightCache.provide(weights, Precision.BF16, cache, ProgressListener.NONE);
      fill(disk);
      requireRoom(MODEL, cache, bytes);
    }
  }

  /** So that a weight file has no room beside what is there. */
  private static void fill(SmallDisk disk) throws IOException {
    int free = (int) disk.directory().toFile().getUsableSpace();
    Files.write(disk.directory().resolve("other"), new byte[free]);
    assertThat(disk.directory().toFile().getUsableSpace()).isZero();
  }

  @Test
  void whereThereIsRoomTheModelIsNotReadForIt() {
    Path nowhere = directory.resolve("nowhere");
    assertThatCode(() -> requireRoom(nowhere, directory, 1)).doesNotThrowAnyException();
    assertThatThrownBy(() -> requireRoom(nowhere, directory, Long.MAX_VALUE))
        .hasMessageContaining(nowhere.toString());
  }
}
