package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class WeightCacheTest {
  @TempDir Path directory;

  private Path cache;

  /** Remembers what it hears. */
  private static final class Recorder implements ProgressListener {
    final List<String> events = new ArrayList<>();

    @Override
    public void written(long done, long total) {
      if (done == total) {
        events.add("written");
      }
    }

    @Override
    public void waiting(Path file) {
      events.add("waiting");
    }

    @Override
    public void replacing(Path file, String reason) {
      events.add("replacing: " + reason);
    }
  }

  @BeforeEach
  void write() throws IOException {
    cache = directory.resolve("cache");
    ModelFiles.write(directory.resolve("model"), ModelFiles.tensors());
  }

  private OfficialWeights open() throws IOException {
    return OfficialWeights.open(new LocalFolder(directory.resolve("model")));
  }

  @Test
  void makesOneFilePerModelAndPrecisionAndReusesIt() throws Exception {
    Recorder recorder = new Recorder();
    try (OfficialWeights weights = open()) {
      Path bf16 = WeightCache.provide(weights, Precision.BF16, cache, recorder);
      assertThat(bf16)
          .isEqualTo(
              cache.resolve(
                  "weights/" + weights.fingerprint().substring(0, 16) + "-bf16.safetensors"));
      assertThat(WeightCache.holds(weights.fingerprint(), Precision.BF16, cache)).isTrue();
      assertThat(WeightCache.holds(weights.fingerprint(), Precision.FP32, cache)).isFalse();
      Files.setLastModifiedTime(bf16, FileTime.fromMillis(1000));
      assertThat(WeightCache.provide(weights, Precision.BF16, cache, recorder)).isEqualTo(bf16);
      assertThat(Files.getLastModifiedTime(bf16)).isEqualTo(FileTime.fromMillis(1000));
      Path fp32 = WeightCache.provide(weights, Precision.FP32, cache, recorder);
      assertThat(Files.size(fp32)).isGreaterThan(Files.size(bf16));
    }
    assertThat(recorder.events).containsExactly("written", "written");
  }

  @Test
  void replacesAFileThatCannotServeAndRemovesUnfinishedOnes() throws Exception {
    Recorder recorder = new Recorder();
    try (OfficialWeights weights = open()) {
      Path file = WeightCache.provide(weights, Precision.BF16, cache, recorder);
      byte[] good = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(good, good.length - 1));
      Path unfinished = file.resolveSibling(WeightFile.temporaryPrefix(file) + "123.tmp");
      Files.write(unfinished, new byte[1]);
      Path other = file.resolveSibling(".other-bf16.safetensors.123.tmp");
      Files.write(other, new byte[1]);
      WeightCache.provide(weights, Precision.BF16, cache, recorder);
      assertThat(file).hasBinaryContent(good);
      assertThat(unfinished).doesNotExist();
      assertThat(other).exists();

      Path fp32 = WeightCache.provide(weights, Precision.FP32, cache, recorder);
      Files.copy(fp32, file, StandardCopyOption.REPLACE_EXISTING);
      WeightCache.provide(weights, Precision.BF16, cache, recorder);
      assertThat(file).hasBinaryContent(good);
    }
    assertThat(recorder.events).hasSize(6);
    assertThat(recorder.events.get(1))
        .startsWith("replacing: Cannot read ")
        .contains("the file was cut short");
    assertThat(recorder.events.get(4)).startsWith("replacing: it says of itself {");
  }

  @Test
  void rebuildsAFileWhoseDataIsDamagedWhoeverDidIt() throws Exception {
    Recorder recorder = new Recorder();
    try (OfficialWeights weights = open()) {
      Path file = WeightCache.provide(weights, Precision.BF16, cache, recorder);
      byte[] good = Files.readAllBytes(file);
      byte[] bad = good.clone();
      bad[bad.length - 100] ^= 1;
      Files.write(file, bad); // by somebody
      WeightCache.provide(weights, Precision.BF16, cache, recorder);
      assertThat(file).hasBinaryContent(good);

      FileTime made = Files.getLastModifiedTime(file);
      Files.write(file, bad);
      Files.setLastModifiedTime(file, made); // by the disk itself
      WeightCache.provide(weights, Precision.BF16, cache, recorder);
      assertThat(file).hasBinaryContent(good);

      Files.write(WeightSums.beside(file), new byte[] {'{'});
      WeightCache.provide(weights, Precision.BF16, cache, recorder);
      Files.delete(WeightSums.beside(file));
      WeightCache.provide(weights, Precision.BF16, cache, recorder);
      assertThat(file).hasBinaryContent(good);
    }
    assertThat(recorder.events)
        .filteredOn(event -> !event.equals("written"))
        .containsExactly(
            "replacing: its bytes from 0 on are not those that were written",
            "replacing: its bytes from 0 on are not those that were written",
            "replacing: it has no checksums",
            "replacing: it has no checksums");
  }

  @Test
  void aFileThatWasOnlyTouchedIsReadOnceAndKept() throws Exception {
    Recorder recorder = new Recorder();
    try (OfficialWeights weights = open()) {
      Path file = WeightCache.provide(weights, Precision.BF16, cache, recorder);
      Files.setLastModifiedTime(file, FileTime.fromMillis(1000));
      assertThat(WeightSums.read(file).orElseThrow().isUntouched(file)).isFalse();
      WeightCache.provide(weights, Precision.BF16, cache, recorder);
      assertThat(WeightSums.read(file).orElseThrow().isUntouched(file)).isTrue();
    }
    assertThat(recorder.events).containsExactly("written");
  }

  @Test
  void headerBitsAndSizesThatAreNotThoseOfTheFileAreFound() throws Exception {
    Recorder recorder = new Recorder();
    try (OfficialWeights weights = open()) {
      Path file = WeightCache.provide(weights, Precision.BF16, cache, recorder);
      byte[] good = Files.readAllBytes(file);
      for (byte[] bad :
          List.of(
              flipped(good, 3), // the length of the header
              flipped(good, 20), // its text
              new byte[0],
              Arrays.copyOf(good, good.length / 2),
              Arrays.copyOf(good, good.length + 1))) {
        Files.write(file, bad);
        WeightCache.provide(weights, Precision.BF16, cache, recorder);
        assertThat(file).hasBinaryContent(good);
      }
    }
    assertThat(recorder.events).filteredOn(event -> event.startsWith("replacing: ")).hasSize(5);
  }

  private static byte[] flipped(byte[] bytes, int at) {
    byte[] copy = bytes.clone();
    copy[at] ^= 8;
    return copy;
  }

  @Test
  void shardsOfWhichOnlySomeArePublishedAreNotConverted() throws Exception {
    Path model = Checkout.goldenSmall().resolve("model-fp16-sharded");
    List<PublishedFile> published = new ArrayList<>();
    for (int number = 1; number <= 5; number++) {
      String name = "pytorch_model-0000" + number + "-of-00005.bin";
      byte[] bytes = Files.readAllBytes(model.resolve(name));
      String sha256 = number == 3 ? "0".repeat(64) : Digests.hex(bytes);
      published.add(new PublishedFile(name, bytes.length, sha256, number == 4 ? "v2" : "v1"));
    }
    long[] read = {0};
    ProgressListener listener =
        new ProgressListener() {
          @Override
          public void written(long done, long total) {
            throw new IllegalStateException("nothing must be written");
          }

          @Override
          public void read(long bytes) {
            read[0] += bytes;
          }
        };
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(model), published)) {
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> WeightCache.provide(weights, Precision.BF16, cache, listener))
            .isInstanceOfSatisfying(
                TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
            .hasMessageStartingWith("Cannot use the weights in " + model + ": by SHA-256, ")
            .hasMessageContaining("pytorch_model-00004-of-00005.bin is of v2")
            .hasMessageContaining("pytorch_model-00003-of-00005.bin is of none that is known");
      }
      assertThat(read[0]).isEqualTo(weights.bytes()); // once
    }
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(model))) {
      assertThat(WeightCache.provide(weights, Precision.BF16, cache, ProgressListener.NONE))
          .exists();
    }
  }

  @Test
  void letsOneThreadConvertAndTheOthersWait() throws Exception {
    int threads = 4;
    CountDownLatch started = new CountDownLatch(threads - 1);
    AtomicInteger conversions = new AtomicInteger();
    ProgressListener listener =
        new ProgressListener() {
          @Override
          public void written(long done, long total) {
            try { // the converting thread goes on when all others wait for it
              assertThat(started.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            if (done == total) {
              conversions.incrementAndGet();
            }
          }

          @Override
          public void waiting(Path file) {
            started.countDown();
          }
        };
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Path>> results = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        results.add(
            pool.submit(
                () -> {
                  try (OfficialWeights weights = open()) {
                    return WeightCache.provide(weights, Precision.BF16, cache, listener);
                  }
                }));
      }
      for (Future<Path> result : results) {
        assertThat(result.get(30, TimeUnit.SECONDS)).exists();
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(conversions).hasValue(1);
    try (Stream<Path> files = Files.list(cache.resolve("weights"))) {
      assertThat(files.map(path -> path.getFileName().toString()).sorted())
          .hasSize(3)
          .element(1)
          .asString()
          .endsWith("-bf16.safetensors");
    }
  }
}
