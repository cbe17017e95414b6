package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.glmtuner.config.Precision;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.RandomWeights;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How many copies of the weights processes have, by the kernel's proportional count of pages (Pss):
 * of a page that n processes have, each has an n-th.
 */
class WeightSharingIT {
  private static final String CONFIG =
      """
      {"model_type": "chatglm", "num_layers": 20, "hidden_size": 1024, "num_attention_heads": 16,
       "inner_hidden_size": 4096, "vocab_size": 8192, "max_sequence_length": 4096,
       "layernorm_epsilon": 1e-05, "position_encoding_2d": true, "mask_token_id": 500,
       "gmask_token_id": 501, "bos_token_id": 504, "eos_token_id": 505, "pad_token_id": 3}
      """;

  @TempDir static Path directory;

  private static Path weights;
  private static long weightBytes;

  /** A process that has said where its weights are. */
  private record Probe(Process process, String said) {
    double loss() {
      return Double.parseDouble(said.substring(0, said.indexOf(' ')));
    }

    /** Bytes of the weight file, before anything was computed. */
    long read() {
      return Long.parseLong(said.substring(said.lastIndexOf(' ') + 1));
    }

    long pss() throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/smaps_rollup"))) {
        if (line.startsWith("Pss:")) {
          return Long.parseLong(line.replaceAll("\\D+", "")) << 10;
        }
      }
      throw new IOException("smaps_rollup does not say Pss");
    }
  }

  @BeforeAll
  static void writeWeights() throws Exception {
    ChatGlmConfig config =
        ChatGlmConfig.parse(CONFIG.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
    weights = RandomWeights.provide(config, Precision.BF16, 1, directory, ProgressListener.NONE);
    weightBytes = Files.size(weights);
    Files.writeString(directory.resolve("config.json"), CONFIG);
  }

  private static Probe start(String mode) throws IOException, InterruptedException {
    NativeLibraries libraries = NativeLibraries.provide(Path.of("target/test-cache"));
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            "org.glmtuner.rank.PlacementProbe",
            libraries.nativeDdp().toString(),
            weights.toString(),
            directory.resolve("config.json").toString(),
            mode);
    builder
        .environment()
        .putAll(
            Map.of(
                "PYTORCH_LIBRARY_PATH",
                libraries.torchDirectory().toString(),
                "OMP_NUM_THREADS",
                "1",
                "DJL_OFFLINE",
                "true",
                "OPT_OUT_TRACKING",
                "true"));
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
    String said = reader.readLine();
    while (said != null && !said.contains("weights ")) {
      said = reader.readLine();
    }
    assertThat(said).as("what a process with %s weights says", mode).isNotNull();
    return new Probe(process, said);
  }

  /**
   * The sum of Pss with one, two and three processes.
   *
   * @param read how many of them read the weight file when they start
   */
  private static List<Long> sums(String mode, int read, Set<Double> losses)
      throws IOException, InterruptedException {
    List<Probe> probes = new ArrayList<>();
    List<Long> sums = new ArrayList<>();
    try {
      for (int count = 1; count <= 3; count++) {
        probes.add(start(mode));
        long sum = 0;
        for (Probe probe : probes) {
          sum += probe.pss();
        }
        sums.add(sum);
      }
      for (Probe probe : probes) {
        losses.add(probe.loss());
        assertThat(probe.read()).isEqualTo(probes.indexOf(probe) < read ? weightBytes : 0);
        assertThat(probe.said()).contains("of 64 pages 64 on NUMA node 0");
        probe.process().getOutputStream().close();
        assertThat(probe.process().waitFor()).isZero();
      }
    } finally {
      probes.forEach(probe -> probe.process().destroyForcibly());
    }
    System.out.printf(
        "%s weights of %d MB, sum of Pss with 1, 2 and 3 processes: %s MB%n",
        mode, weightBytes / 1_000_000, sums.stream().map(sum -> sum / 1_000_000).toList());
    return sums;
  }

  @Test
  void processesThatShareHaveTheWeightsOnceHoweverManyTheyAre() throws Exception {
    Set<Double> losses = new HashSet<>();
    List<Long> mapped = sums("mapped", 0, losses);
    List<Long> shared = sums("shared", 1, losses);
    List<Long> apart = sums("private", 3, losses);
    List<Long> ahead = sums("ahead", 3, losses);
    assertThat(losses).as("loss with mapped, shared and private weights").hasSize(1);
    for (List<Long> sums : List.of(mapped, shared, ahead)) {
      long own = sums.get(0) - weightBytes;
      assertThat(own).isPositive();
      for (int more = 1; more < sums.size(); more++) {
        long growth = sums.get(more) - sums.get(more - 1);
        assertThat(growth)
            .as("growth with one more process, which has %d bytes of its own", own)
            .isPositive()
            .isLessThan(own + weightBytes / 20);
      }
    }
    for (int more = 1; more < apart.size(); more++) {
      assertThat(apart.get(more) - apart.get(more - 1)).isGreaterThan(weightBytes);
    }
  }

  @Test
  void nothingIsLeftOfACopyWhenItsProcessesAreKilled() throws Exception {
    long before = sharedMemory();
    List<Probe> probes = List.of(start("shared"), start("shared"));
    assertThat(sharedMemory() - before).isBetween(weightBytes * 9 / 10, weightBytes * 11 / 10);
    for (Probe probe : probes) {
      probe.process().destroyForcibly().waitFor();
    }
    assertThat(sharedMemory() - before).isLessThan(weightBytes / 10);
  }

  /** Of the host: tmpfs, memfd and the like. */
  private static long sharedMemory() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
      if (line.startsWith("Shmem:")) {
        return Long.parseLong(line.replaceAll("\\D+", "")) << 10;
      }
    }
    throw new IOException("/proc/meminfo does not say Shmem");
  }
}
