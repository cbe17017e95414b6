package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.assertj.core.data.Percentage;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.Precision;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.RankMemory;
import org.glmtuner.model.RankMemory.Parts;
import org.glmtuner.model.ZeroWeights;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What {@link RankMemory} predicts, against processes that do what a rank does. Each part of the
 * prediction is large in one of the cases, so that none can be wrong unnoticed.
 */
class RankMemoryTest {
  /** A tenth is promised; here no other program's pages come between. */
  private static final Percentage TOLERANCE = Percentage.withPercentage(6);

  /** A fifth of a part that makes up so much is beyond the tolerance on both sides. */
  private static final double DECISIVE = 0.38;

  private static final String CONFIG =
      """
      {"model_type": "chatglm", "num_layers": %d, "hidden_size": %d, "num_attention_heads": %d,
       "inner_hidden_size": %d, "vocab_size": %d, "max_sequence_length": 4096,
       "layernorm_epsilon": 1e-05, "position_encoding_2d": true, "mask_token_id": 500,
       "gmask_token_id": 501, "bos_token_id": 504, "eos_token_id": 505, "pad_token_id": 3}
      """;

  /** A rank and its micro-batch. */
  private record Case(
      String name, String json, Precision precision, Prefix prefix, int sampleLength, int samples) {
    ChatGlmConfig config() {
      return ChatGlmConfig.parse(json.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
    }

    RankMemory memory() {
      return RankMemory.of(config(), prefix, precision, 1);
    }

    Parts parts() {
      return memory().training(sampleLength * samples, samples);
    }

    /** Each sample a sequence. */
    Parts serving() {
      return memory().serving(sampleLength, new RankMemory.Sequences(samples, sampleLength));
    }

    Case with(int otherSamples) {
      return new Case(name, json, precision, prefix, sampleLength, otherSamples);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Case of(
      String name,
      int layers,
      int hidden,
      int inner,
      int vocabulary,
      Precision precision,
      Prefix prefix,
      int sampleLength,
      int samples) {
    String json = CONFIG.formatted(layers, hidden, hidden / 64, inner, vocabulary);
    return new Case(name, json, precision, prefix, sampleLength, samples);
  }

  private static final Case TINY =
      of("tiny", 1, 64, 64, 512, Precision.BF16, new Prefix(1, false), 8, 1);

  private static final Case SAVED =
      of("saved", 24, 256, 1024, 512, Precision.BF16, new Prefix(8, false), 128, 20);
  private static final Case LONG =
      of("long fp32", 1, 1024, 4096, 512, Precision.FP32, new Prefix(8, false), 2048, 1);
  private static final Case OUTPUT =
      of("output", 1, 64, 64, 100_000, Precision.BF16, new Prefix(8, false), 75, 8);
  private static final Case PACKED =
      of("packed", 1, 64, 16384, 512, Precision.BF16, new Prefix(8, false), 64, 16);
  private static final Case PREFIX =
      of("prefix", 8, 1024, 64, 512, Precision.BF16, new Prefix(1024, false), 8, 4);
  private static final Case PROJECTED =
      of("projected", 4, 1024, 64, 512, Precision.BF16, new Prefix(256, true), 8, 4);

  /** The keys and values of a layer take 8.6 MiB, which a buffer rounds to 10. */
  private static final Case CACHES =
      of("caches", 4, 1024, 64, 512, Precision.BF16, new Prefix(8, false), 1100, 8);

  private static final Case MASKS =
      of("masks", 4, 512, 64, 512, Precision.BF16, new Prefix(256, false), 3, 400);

  @TempDir static Path directory;
  private static List<Long> tiny;

  static List<Case> cases() {
    return List.of(SAVED, LONG, OUTPUT, PACKED, PREFIX, PROJECTED, MASKS);
  }

  @BeforeAll
  static void measureTiny() throws IOException, InterruptedException {
    tiny = measure(TINY, "train");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void whatAModelAndItsMicroBatchesTakeIsPredicted(Case one)
      throws IOException, InterruptedException {
    List<Long> measured = measure(one, "train");
    long predicted = one.parts().total() - TINY.parts().total();
    assertThat(predicted)
        .as("%s, measured %s against %s", one.parts(), measured, tiny)
        .isCloseTo(measured.get(0) - tiny.get(0), TOLERANCE);
    assertThat(predicted + one.memory().checkpointBytes())
        .as("with a checkpoint's copy, %s, measured %s", one.parts(), measured)
        .isCloseTo(measured.get(1) - tiny.get(1), TOLERANCE);
  }

  @Test
  void theCachesOfTheSequencesUnderWayArePredicted() throws IOException, InterruptedException {
    long all = measure(CACHES, "serve").get(0);
    long one = measure(CACHES.with(1), "serve").get(0);
    assertThat(CACHES.serving().caches() - CACHES.with(1).serving().caches())
        .as("%s, measured %d and %d", CACHES.serving(), all, one)
        .isCloseTo(all - one, TOLERANCE);
    // with workspaces that only a backward fills
    assertThat(CACHES.serving().total() - TINY.parts().total())
        .isCloseTo(all - tiny.get(0), Percentage.withPercentage(10));
  }

  @Test
  void everyPartDecidesInOneOfTheCases() {
    Map<String, ToLongFunction<Parts>> parts =
        Map.of(
            "saved", Parts::saved,
            "workspaces", Parts::workspaces,
            "output", Parts::output,
            "packed", Parts::packed,
            "prefix", Parts::prefix,
            "masks", Parts::masks);
    parts.forEach(
        (name, part) ->
            assertThat(cases())
                .as(name)
                .anySatisfy(
                    one -> {
                      double growth = one.parts().total() - TINY.parts().total();
                      assertThat(part.applyAsLong(one.parts()) / growth).isGreaterThan(DECISIVE);
                    }));
  }

  /** Bytes after a step, and while a checkpoint's copy exists; or with sequences under way. */
  private static List<Long> measure(Case one, String does)
      throws IOException, InterruptedException {
    Path weights = directory.resolve("weights.safetensors");
    Files.deleteIfExists(weights);
    ZeroWeights.write(weights, one.config(), one.precision());
    List<String> printed =
        run(
            weights.toString(),
            Files.writeString(directory.resolve("config.json"), one.json()).toString(),
            Integer.toString(one.prefix().length()),
            Boolean.toString(one.prefix().projection()),
            Integer.toString(one.sampleLength()),
            Integer.toString(one.samples()),
            does);
    assertThat(printed).as("%s", printed).hasSize(does.equals("train") ? 2 : 1);
    return printed.stream().map(Long::valueOf).toList();
  }

  /** Runs {@code MemoryProbe} as a rank is run. */
  private static List<String> run(String... arguments) throws IOException, InterruptedException {
    NativeLibraries libraries = NativeLibraries.provide(Path.of("target/test-cache"));
    RanksConfig.Jvm jvm = ConfigLoader.load("", "", Map.of()).ranks().jvm();
    Topology host = HostTopology.read(Path.of("target/test-cache").toAbsolutePath());
    CpuGroup group =
        RankGroups.ofCores(host, ConfigLoader.load("", "", Map.of()).ranks(), 1).groups().get(0);
    Binding binding = Binding.of(group, true);
    RankLaunch launch =
        RankLaunch.of(jvm, Map.of(), binding, libraries, Path.of("socket"), Path.of("lock"));
    List<String> command = new ArrayList<>(launch.command());
    int main = command.indexOf("org.glmtuner.rank.RankMain");
    command.subList(main, command.size()).clear();
    command.add("org.glmtuner.rank.MemoryProbe");
    command.add(libraries.nativeDdp().toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(launch.environment());
    Process process = builder.start();
    List<String> lines = process.inputReader(StandardCharsets.UTF_8).lines().toList();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as("%s", lines).isZero();
    return lines;
  }
}
