package org.glmtuner.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.cluster.Checkout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command with real rank processes and MPI, on a tiny model. */
class BenchmarkIT {
  @TempDir static Path directory;

  private final PrintStream standard = System.out;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();

  @BeforeEach
  void capture() {
    System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void release() {
    System.setOut(standard);
  }

  private List<JsonObject> lines() {
    return output
        .toString(StandardCharsets.UTF_8)
        .lines()
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .toList();
  }

  private static List<String> tiny(String command, String... more) throws Exception {
    Path data = BenchmarkRows.write(directory.resolve("rows.jsonl"), 8);
    Path peaks = Checkout.root().resolve("native-ddp/target/cmake/instruction_peaks");
    List<String> arguments =
        new ArrayList<>(List.of(command, "--data", data.toString(), "--peaks", peaks.toString()));
    arguments.addAll(List.of("--layers", "2", "--hidden", "64", "--heads", "4"));
    arguments.addAll(List.of("--vocab", "64", "--prefix", "8", "--ranks", "2", "--rows", "2"));
    arguments.addAll(List.of("-D", "cache.directory=" + directory.resolve("cache")));
    arguments.addAll(List.of("-D", "ranks.claims=" + directory.resolve("cpus.lock")));
    arguments.addAll(Arrays.asList(more));
    return arguments;
  }

  @ParameterizedTest
  @ValueSource(strings = {"bf16", "fp32"})
  void aStepIsMeasuredAndVerified(String precision) throws Exception {
    List<String> arguments = tiny("step", "--precision", precision);
    assertThat(Main.execute(arguments.toArray(String[]::new))).isZero();
    JsonObject line = lines().get(0);
    assertThat(line.get("mode").getAsString()).isEqualTo("glm-tuner-" + precision);
    assertThat(line.get("rows").getAsInt()).isEqualTo(4);
    assertThat(line.get("tokens").getAsInt()).isEqualTo(BenchmarkRows.tokens(4));
    double seconds = line.get("seconds").getAsDouble();
    assertThat(seconds).isPositive().isLessThanOrEqualTo(line.get("seconds_median").getAsDouble());
    assertThat(line.get("gemm_seconds").getAsDouble()).isPositive().isLessThan(seconds);
    assertThat(line.get("optimizer_seconds").getAsDouble()).isPositive();
    assertThat(line.get("fma_peak_fraction").getAsDouble()).isBetween(1e-6, 1.0);
    assertThat(line.get("kernel_peak_fraction").getAsDouble()).isBetween(1e-6, 1.0);
    assertThat(line.getAsJsonArray("private_gib")).hasSize(2);
    JsonObject verification = line.getAsJsonObject("verification");
    assertThat(verification.get("rows").getAsInt()).isEqualTo(4);
    assertThat(verification.get("reference_gradient_norm").getAsDouble()).isPositive();
    for (String differences : List.of("key_gradient_differences", "value_gradient_differences")) {
      assertThat(verification.getAsJsonArray(differences)).hasSize(2);
      assertThat(verification.getAsJsonArray(differences).get(1).getAsDouble()).isPositive();
    }
    try (DirectoryStream<Path> weights =
        Files.newDirectoryStream(directory.resolve("cache/weights"), "random-*.safetensors")) {
      assertThat(weights).isNotEmpty();
    }
  }

  @Test
  void sumsOverRanksAreMeasured() throws Exception {
    String[] arguments = {
      "allreduce",
      "--ranks",
      "2",
      "--layers",
      "3",
      "--prefix",
      "4",
      "--hidden",
      "32",
      "--repeat",
      "3",
      "-D",
      "cache.directory=" + directory.resolve("cache"),
      "-D",
      "ranks.claims=" + directory.resolve("cpus.lock")
    };
    assertThat(Main.execute(arguments)).isZero();
    JsonObject line = lines().get(0);
    assertThat(line.get("bytes").getAsLong()).isEqualTo(4L * 3 * 2 * 4 * 32);
    assertThat(line.get("gb_per_second").getAsDouble()).isPositive();
    assertThat(line.get("small_sum_seconds").getAsDouble()).isPositive();
  }

  @Test
  void aPeerThatIsNotThereIsNamed() throws Exception {
    List<String> arguments =
        tiny("compare", "--peer", "python3", "--peer-program", directory + "/none.py");
    assertThat(Main.execute(arguments.toArray(String[]::new))).isEqualTo(2);
    assertThat(lines().get(0).get("error").getAsString())
        .contains("Cannot compare: the peer " + directory + "/none.py is no file");
  }

  @Test
  void aPeerIsMeasuredInTurn() throws Exception {
    Path peer = directory.resolve("peer.py");
    Files.writeString(
        peer,
        """
        import json, sys
        at = sys.argv.index
        print("not JSON")
        print(json.dumps({"mode": sys.argv[at("--modes") + 1], "tokens_per_second": float(sys.argv[at("--batch") + 1])}))
        """);
    Path file = directory.resolve("compared.jsonl");
    List<String> arguments =
        tiny(
            "compare",
            "--peer",
            "python3",
            "--peer-program",
            peer.toString(),
            "--modes",
            "other",
            "--rounds",
            "2",
            "--isa",
            "auto,generic",
            "--output",
            file.toString());
    assertThat(Main.execute(arguments.toArray(String[]::new))).isZero();
    assertThat(Files.readString(file)).isEqualTo(output.toString(StandardCharsets.UTF_8));
    List<JsonObject> lines = lines();
    assertThat(lines).hasSize(1 + 2 + 2 * 3 + 2);
    assertThat(lines.get(0).get("machine").getAsString()).isNotEmpty();
    assertThat(lines.get(0).get("libtorch").getAsString()).startsWith("2.");
    assertThat(lines.get(0).get("verified").getAsBoolean()).isTrue();
    assertThat(lines.get(2).get("isa").getAsString()).isEqualTo("generic");
    assertThat(lines.get(2).getAsJsonObject("verification").get("rows").getAsInt()).isEqualTo(4);
    assertThat(lines.get(8).get("mode").getAsString()).isEqualTo("other");
    assertThat(lines.get(8).get("round").getAsInt()).isEqualTo(1);
    List<Double> ratios =
        IntStream.of(3, 6)
            .mapToObj(i -> lines.get(i).get("tokens_per_second").getAsDouble() / 2)
            .toList();
    assertThat(lines.get(8).getAsJsonObject("ratios").get("auto").getAsDouble())
        .isEqualTo(Numbers.rounded(ratios.get(1)));
    assertThat(lines.get(9).get("isa").getAsString()).isEqualTo("auto");
    assertThat(lines.get(9).get("ratio_min").getAsDouble())
        .isEqualTo(Numbers.rounded(Collections.min(ratios)));
    assertThat(lines.get(10).get("isa").getAsString()).isEqualTo("generic");
  }

  @Test
  void theSmallestStepOfASeriesIsVerified() throws Exception {
    List<String> arguments = tiny("linear", "--tokens", "20,10", "--depths", "1,2");
    assertThat(Main.execute(arguments.toArray(String[]::new))).isZero();
    List<JsonObject> lines = lines();
    assertThat(lines).hasSize(2 + 1 + 1 + 1 + 1 + 1 + 1);
    int rows = lines.get(1).get("rows").getAsInt();
    assertThat(lines.get(2).getAsJsonObject("verification").get("rows").getAsInt()).isEqualTo(rows);
    assertThat(lines.get(5).getAsJsonObject("verification").get("rows").getAsInt()).isEqualTo(4);
  }

  @Test
  void severalConfigurationsAreForComparing() throws Exception {
    List<String> arguments = tiny("step", "--isa", "auto,avx2");
    assertThat(Main.execute(arguments.toArray(String[]::new))).isEqualTo(2);
    assertThat(lines().get(0).get("error").getAsString()).contains("Invalid --isa: auto,avx2");
  }
}
