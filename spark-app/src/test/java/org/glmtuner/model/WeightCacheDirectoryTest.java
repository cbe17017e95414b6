package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.glmtuner.SmallDisk;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a cache directory is good, but not the directory of weights in it. */
class WeightCacheDirectoryTest {
  @TempDir Path cache;

  private void refused(String reason) {
    assertThatThrownBy(
            () ->
                WeightCache.provide(
                    "name",
                    cache,
                    file -> Optional.empty(),
                    file -> {
                      throw new IOException("nothing must be made");
                    },
                    ProgressListener.NONE))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage("Cannot use " + cache + "/weights: " + reason + " (cache.directory)");
  }

  @Test
  void aFileInItsPlaceIsNamed() throws Exception {
    Files.createFile(cache.resolve("weights"));
    refused(cache + "/weights is no directory");
  }

  @Test
  void oneThatCannotBeWrittenToIsNamed() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(cache.resolve("weights"), 1 << 20, "ro")) {
      assertThat(disk.directory()).isEmptyDirectory();
      refused("this user cannot write to it");
    }
  }
}
