package org.glmtuner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.driver.Cancellation;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertCommandTest {
  private static final Path MODEL = Checkout.goldenSmall().resolve("model-fp16-sharded");
  private static final Path PREFIX = Checkout.goldenSmall().resolve("prefix-init/p8");

  @TempDir Path directory;

  /** The last line of standard output, which goes back to what it was. */
  private static JsonObject run(ExitCode code, Object... arguments) {
    PrintStream out = System.out;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      String[] texts = List.of(arguments).stream().map(Object::toString).toArray(String[]::new);
      assertThat(Main.execute(texts, Cancellation.none())).isEqualTo(code.number());
    } finally {
      System.setOut(out);
    }
    List<String> lines = captured.toString(StandardCharsets.UTF_8).lines().toList();
    return JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject();
  }

  @Test
  void aModelBecomesAWeightFileInThePrecisionAskedFor() throws IOException {
    Path bf16 = directory.resolve("new/bf16.safetensors");
    JsonObject line = run(ExitCode.DONE, "convert", MODEL, "--output", bf16);
    assertThat(line.get("status").getAsString()).isEqualTo("finished");
    assertThat(line.get("bytes").getAsLong()).isEqualTo(Files.size(bf16));
    assertThat(line.get("seconds").getAsDouble()).isPositive();
    assertThat(line.get("mb_per_second").getAsDouble()).isPositive();
    assertThat(line.get("peak_memory_bytes").getAsLong()).isGreaterThan(1 << 20);
    Path fp32 = directory.resolve("fp32.safetensors");
    run(ExitCode.DONE, "convert", MODEL, "--output", fp32, "--precision", "fp32");
    assertThat(Files.size(fp32)).isGreaterThan(Files.size(bf16));
    assertThat(run(ExitCode.DONE, "inspect", fp32).get("holds").getAsString())
        .isEqualTo("weight-file");
    assertThat(run(ExitCode.INVALID, "convert", MODEL, "--output", fp32).get("error").getAsString())
        .isEqualTo("Invalid --output: " + fp32 + " (it exists, and nothing is overwritten)");
  }

  @Test
  void withoutAnOutputTheModelOfTheConfigurationGoesIntoTheCache() {
    JsonObject line =
        run(
            ExitCode.DONE,
            "convert",
            "-D",
            "model.path=" + MODEL,
            "-D",
            "cache.directory=" + directory.resolve("cache"));
    assertThat(line.get("output").getAsString())
        .startsWith(directory.resolve("cache/weights").toString())
        .endsWith("-bf16.safetensors");
  }

  @Test
  void modelsAndPrefixesGoIntoTheOtherFormats() {
    Path shards = directory.resolve("shards");
    run(
        ExitCode.DONE,
        "convert",
        MODEL,
        "--to",
        "safetensors",
        "--output",
        shards,
        "--shard-bytes",
        30_000);
    assertThat(shards.resolve("model.safetensors.index.json")).exists();
    assertThat(run(ExitCode.DONE, "inspect", shards, "--verify").get("problems").getAsInt())
        .isZero();
    Path both = directory.resolve("both");
    run(ExitCode.DONE, "convert", PREFIX, "--output", both);
    assertThat(both.resolve("prefix.safetensors")).exists();
    assertThat(both.resolve("pytorch_model.bin")).exists();
    Path official = directory.resolve("official");
    run(
        ExitCode.DONE,
        "convert",
        both.resolve("prefix.safetensors"),
        "--to",
        "official",
        "--output",
        official);
    assertThat(official.resolve("prefix.safetensors")).doesNotExist();
    assertThat(official.resolve("pytorch_model.bin"))
        .hasSameBinaryContentAs(both.resolve("pytorch_model.bin"));
  }

  @Test
  void whatCannotBeConvertedIsRefusedWithTheReason() throws IOException {
    assertThat(error("convert", PREFIX, "--to", "weights", "--output", directory.resolve("x")))
        .endsWith("it holds a prefix, and a weight file is made of a model");
    assertThat(error("convert", PREFIX)).isEqualTo("Invalid arguments: --output is missing");
    assertThat(error("convert"))
        .isEqualTo("Invalid arguments: there is nothing to convert (SOURCE, or model.path)");
    assertThat(error("convert", MODEL, "--to", "onnx"))
        .contains("expected one of [WEIGHTS, OFFICIAL, SAFETENSORS] (case-insensitive)");
    assertThat(error("convert", MODEL, "--output", "hdfs://localhost:1/weights"))
        .endsWith("(ranks map a weight file: it must be on a local disk)");
    assertThat(directory).isEmptyDirectory();
  }

  private static String error(Object... arguments) {
    return run(ExitCode.INVALID, arguments).get("error").getAsString();
  }

  @Test
  void problemsFoundByInspectSetTheExitCode() throws IOException {
    Path cut = directory.resolve("pytorch_model.bin");
    byte[] bytes = Files.readAllBytes(PREFIX.resolve("prefix.safetensors"));
    Files.write(directory.resolve("prefix.safetensors"), bytes);
    Files.write(cut, new byte[] {'P', 'K', 3, 4, 0, 0, 0});
    JsonObject line = run(ExitCode.DAMAGED, "inspect", directory);
    assertThat(line.get("status").getAsString()).isEqualTo("failed");
    assertThat(line.get("problems").getAsInt()).isEqualTo(1);
    assertThat(line.get("error").getAsString()).startsWith("Cannot read " + cut);
  }
}
