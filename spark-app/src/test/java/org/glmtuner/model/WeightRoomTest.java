package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.glmtuner.SmallDisk;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.DiskSpace;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weight files and their checksums on disks that are too small for them. */
class WeightRoomTest {
  @TempDir Path directory;

  @BeforeEach
  void write() throws IOException {
    ModelFiles.write(directory.resolve("model"), ModelFiles.tensors());
  }

  private OfficialWeights open() throws IOException {
    return OfficialWeights.open(new LocalFolder(directory.resolve("model")));
  }

  /** Leaves so much of a disk. */
  private static void fillBut(SmallDisk disk, long bytes) throws IOException {
    Files.write(
        disk.directory().resolve("filler"),
        new byte[(int) (DiskSpace.free(disk.directory()) - bytes)]);
  }

  private static void assertNoRoom(OfficialWeights weights, SmallDisk disk) {
    for (ThrowingCallable action :
        List.<ThrowingCallable>of(
            () -> WeightCache.requireRoom(weights, Precision.BF16, disk.directory()),
            () ->
                WeightCache.provide(
                    weights, Precision.BF16, disk.directory(), ProgressListener.NONE))) {
      assertThatThrownBy(action)
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessageMatching(
              "Cannot write .*/disk/weights/.*-bf16.safetensors: it needs \\d+ bytes, its file system has \\d+ free");
    }
  }

  @Test
  void aDiskThatIsTooSmallIsKnownBeforeAnythingIsWritten() throws Exception {
    try (OfficialWeights weights = open();
        SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      WeightCache.requireRoom(weights, Precision.BF16, disk.directory());
      Path full = disk.directory().resolve("other");
      Files.write(full, new byte[(1 << 20) - 8192]);
      assertNoRoom(weights, disk);
      Files.delete(full);
      WeightCache.provide(weights, Precision.BF16, disk.directory(), ProgressListener.NONE);
      Files.write(full, new byte[0]);
      WeightCache.requireRoom(weights, Precision.BF16, disk.directory());
    }
  }

  @Test
  void roomForTheChecksumsIsAskedForToo() throws Exception {
    try (OfficialWeights weights = open();
        SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      Path file = WeightCache.provide(weights, Precision.BF16, directory, ProgressListener.NONE);
      Files.createDirectory(disk.directory().resolve("weights"));
      fillBut(disk, (Files.size(file) + 4095) / 4096 * 4096);
      assertNoRoom(weights, disk);
    }
  }

  @Test
  void checksumsThatFindTheDiskFullSaySo() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      Path file = disk.directory().resolve("some-bf16.safetensors");
      Files.write(file, new byte[3 << 16]);
      fillBut(disk, 0);
      assertThatThrownBy(() -> WeightSums.make(file))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessageMatching(
              "Cannot write .*/some-bf16.safetensors.sums: it needs \\d+ bytes, its file system, with 0 free, became full meanwhile");
    }
  }

  @Test
  void aGoodFileThatWasTouchedServesOnAFullDiskToo() throws Exception {
    List<Long> written = new ArrayList<>();
    ProgressListener listener = (done, total) -> written.add(done);
    try (OfficialWeights weights = open();
        SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      Path file = WeightCache.provide(weights, Precision.BF16, disk.directory(), listener);
      int writes = written.size();
      Files.setLastModifiedTime(file, FileTime.fromMillis(1000));
      fillBut(disk, 0);
      assertThat(WeightCache.provide(weights, Precision.BF16, disk.directory(), listener))
          .isEqualTo(file);
      assertThat(WeightSums.read(file).orElseThrow().isUntouched(file)).isFalse();
      assertThat(written).hasSize(writes);
    }
  }
}
