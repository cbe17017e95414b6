package org.glmtuner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.driver.Cancellation;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanCommandTest {
  private static final Path TOPOLOGIES = Checkout.module().resolve("src/test/resources/topologies");

  @TempDir static Path cache;
  @TempDir Path directory;

  /** The lines of standard output. */
  private static List<String> run(ExitCode code, Object... arguments) {
    List<String> texts = new ArrayList<>(List.of("plan", "-D", "cache.directory=" + cache));
    Stream.of(arguments).map(Object::toString).forEach(texts::add);
    PrintStream out = System.out;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.execute(texts.toArray(String[]::new), Cancellation.none()))
          .isEqualTo(code.number());
    } finally {
      System.setOut(out);
    }
    return captured.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private static JsonObject json(String line) {
    return JsonParser.parseString(line).getAsJsonObject();
  }

  private static String error(ExitCode code, Object... arguments) {
    List<String> lines = run(code, arguments);
    return json(lines.get(lines.size() - 1)).get("error").getAsString();
  }

  private static Path xeonMax(String mode) {
    return TOPOLOGIES.resolve("xeonmax9462-snc4-" + mode + ".xml");
  }

  @ParameterizedTest
  @CsvSource({"flat, flat, hbm", "hbmonly, hbm-only, hbm", "cache, cache, dram"})
  void twoXeonMaxGetEightRanksOfEightCoresInEachMode(String file, String mode, String kind) {
    List<String> lines =
        run(ExitCode.DONE, "--topology", xeonMax(file), "--gflops-per-core", 300, "--json");
    assertThat(lines).hasSize(2);
    JsonObject plan = json(lines.get(0));
    assertThat(plan.get("world_size").getAsInt()).isEqualTo(8);
    assertThat(plan.getAsJsonArray("ranks"))
        .hasSize(8)
        .allSatisfy(
            rank -> assertThat(rank.getAsJsonObject().get("cores").getAsInt()).isEqualTo(8));
    assertThat(plan.getAsJsonObject("weights").get("kind").getAsString()).isEqualTo(kind);
    assertThat(plan.getAsJsonObject("host").get("hbm_mode").getAsString()).isEqualTo(mode);
    assertThat(plan.get("step_seconds").getAsDouble()).isPositive();
    assertThat(json(lines.get(1)).get("step_seconds")).isEqualTo(plan.get("step_seconds"));
  }

  @Test
  void thisHostIsPlannedWhereNoOtherIsNamed() throws Exception {
    Path output = directory.resolve("plan.txt");
    run(
        ExitCode.DONE,
        "--gflops-per-core",
        "200",
        "--memory-gb-s",
        "30",
        "--output",
        output,
        "-D",
        "model.path=" + Checkout.goldenSmall().resolve("model"),
        "-D",
        "ranks.count=1");
    assertThat(output)
        .content()
        .contains("hosts    1, like this one")
        .contains("200.0 GFLOP/s a core (given)")
        .contains("30.0 GB/s a rank (given)");
  }

  @Test
  void theModelThatIsNamedMustBeThere() {
    assertThat(
            error(
                ExitCode.DAMAGED,
                "--topology",
                xeonMax("flat"),
                "-D",
                "model.path=" + directory.resolve("none")))
        .matches(
            "Cannot read .*/none/config.json: there is no such file \\(model.path; --assume-chatglm-6b plans without it\\)");
    run(
        ExitCode.DONE,
        "--topology",
        xeonMax("flat"),
        "--assume-chatglm-6b",
        "--gflops-per-core",
        100,
        "-D",
        "model.path=" + directory.resolve("none"));
  }

  @Test
  void whatIsNoTopologyIsRefused() throws Exception {
    Path text = Files.writeString(directory.resolve("notes.xml"), "not a topology\n");
    assertThat(error(ExitCode.UNSUITABLE, "--topology", text))
        .startsWith("Cannot ")
        .contains(text.toString());
    assertThat(error(ExitCode.UNSUITABLE, "--topology", directory.resolve("absent.xml")))
        .startsWith("Cannot ")
        .contains("absent.xml");
  }

  @Test
  void whatTheHostsCannotDoEndsWithTheNumbers() {
    assertThat(
            error(
                ExitCode.UNSUITABLE,
                "--topology",
                xeonMax("flat"),
                "--gflops-per-core",
                100,
                "--hosts",
                2,
                "-D",
                "ranks.count=17",
                "-D",
                "ranks.cores=8"))
        .startsWith("Cannot place 9 ranks of 8 cores: ");
    assertThat(
            error(
                ExitCode.UNSUITABLE,
                "--topology",
                xeonMax("cache"),
                "--gflops-per-core",
                100,
                "-D",
                "memory.kind=hbm"))
        .startsWith("Cannot place the weights in HBM: the host has none");
    assertThat(
            error(
                ExitCode.UNSUITABLE,
                "--topology",
                xeonMax("hbmonly"),
                "--gflops-per-core",
                100,
                "-D",
                "prefix.projection=true"))
        .startsWith("Cannot ");
  }

  @Test
  void numbersThatMakeNoSenseAreRefused() {
    assertThat(error(ExitCode.INVALID, "--hosts", 0)).isEqualTo("Invalid --hosts: 0 (1 to 10000)");
    assertThat(error(ExitCode.INVALID, "--hosts", "2147483647"))
        .isEqualTo("Invalid --hosts: 2147483647 (1 to 10000)");
    Object[] given = {"--topology", xeonMax("flat"), "--gflops-per-core", "100"};
    assertThat(error(ExitCode.INVALID, with(given, "--tokens-per-sample", "1")))
        .isEqualTo("Invalid --tokens-per-sample: 1.0 (2 or more)");
    assertThat(error(ExitCode.INVALID, with(given, "--samples", "0")))
        .isEqualTo("Invalid --samples: 0 (1 or more)");
    assertThat(error(ExitCode.INVALID, with(given, "--memory-gb-s", "-3")))
        .isEqualTo("Invalid --memory-gb-s: -3.0 (1e-6 to 1e9)");
    assertThat(error(ExitCode.INVALID, with(given, "--network-gb-s", "0")))
        .isEqualTo("Invalid --network-gb-s: 0.0 (1e-6 to 1e9)");
    for (String rate : List.of("-5", "0", "1e-300", "NaN", "Infinity")) {
      assertThat(error(ExitCode.INVALID, "--topology", xeonMax("flat"), "--gflops-per-core", rate))
          .startsWith("Invalid --gflops-per-core: ")
          .endsWith(" (1e-6 to 1e9)");
    }
  }

  private static Object[] with(Object[] given, String option, String value) {
    return Stream.concat(Stream.of(given), Stream.of(option, value)).toArray();
  }

  @Test
  void stepsOfEpochsFollowFromTheSamples() {
    JsonObject plan =
        json(
            run(
                    ExitCode.DONE,
                    "--topology",
                    xeonMax("flat"),
                    "--gflops-per-core",
                    100,
                    "--samples",
                    1000,
                    "--tokens-per-sample",
                    97,
                    "--json",
                    "-D",
                    "training.epochs=3")
                .get(0));
    assertThat(plan.get("steps").getAsInt()).isEqualTo(188); // of 16 samples each
    assertThat(plan.getAsJsonObject("samples").get("tokens").getAsInt()).isEqualTo(97);
  }
}
