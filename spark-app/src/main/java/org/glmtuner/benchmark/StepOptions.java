package org.glmtuner.benchmark;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.TunerException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of the commands that measure steps. */
final class StepOptions {
  private static final int REAL_HEAD = 128;

  @Option(names = "--layers", description = "L (default: ${DEFAULT-VALUE}).")
  private int layers;

  @Option(
      names = "--vocab",
      description = {
        "V; 130528 is the real one, ids are folded into a smaller one (default: ${DEFAULT-VALUE})."
      })
  private int vocabulary;

  @Option(names = "--hidden", description = "H (default: ${DEFAULT-VALUE}).")
  private int hidden = 4096;

  @Option(names = "--heads", description = "N (default: one for each 128 of H).")
  private int heads;

  @Option(names = "--inner", description = "I (default: 4 H).")
  private int inner;

  @Option(names = "--prefix", description = "P, virtual tokens (default: ${DEFAULT-VALUE}).")
  private int prefix = 128;

  @Option(names = "--precision", description = "bf16 or fp32 (default: bf16).")
  private Precision precision = Precision.BF16;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "FILE",
      description = "Rows: JSON lines with input_ids and labels of the real vocabulary.")
  private Path data;

  @Option(
      names = "--rows",
      description =
          "Rows of each rank in a step: rank r has r * ROWS and the following (default: ${DEFAULT-VALUE}).")
  private int rows;

  @Mixin private final RankOptions ranks = new RankOptions();

  @Option(
      names = "--isa",
      split = ",",
      description =
          "Instructions, as engine.isa; compare takes several (default: ${DEFAULT-VALUE}).")
  private List<String> isa = List.of("auto");

  @Option(
      names = "--repeat",
      description =
          "Timed steps after one that warms up; the fastest counts (default: ${DEFAULT-VALUE}).")
  private int repeat;

  @Option(
      names = "--verify",
      description = {
        "What one rank computes again, row by row and with engine.isa = generic: the whole step",
        "that is timed (step) or nothing (none; default: step)."
      })
  private Verification.Extent verify = Verification.Extent.STEP;

  @Option(names = "--peaks", required = true, hidden = true)
  private Path peaks;

  /** With the defaults that differ from command to command. */
  StepOptions(int layers, int vocabulary, int rows, int repeat) {
    this.layers = layers;
    this.vocabulary = vocabulary;
    this.rows = rows;
    this.repeat = repeat;
  }

  Path data() {
    return data;
  }

  int rows() {
    return Positive.check("--rows", rows);
  }

  int repeat() {
    return Positive.check("--repeat", repeat);
  }

  Verification.Extent verify() {
    return verify;
  }

  Settings settings() throws InterruptedException {
    return settings(layers);
  }

  /** Of another number of layers. */
  Settings settings(int otherLayers) throws InterruptedException {
    if (isa.size() != 1) {
      throw TunerException.invalid(
          "Invalid --isa: " + String.join(",", isa) + " (this command takes one)");
    }
    return settings(otherLayers, isa.get(0));
  }

  /** One for each of {@code --isa}, which are named by it. */
  Map<String, Settings> settingsByIsa() throws InterruptedException {
    Map<String, Settings> all = new LinkedHashMap<>();
    for (String each : isa) {
      all.put(each, settings(layers, each));
    }
    return all;
  }

  private Settings settings(int otherLayers, String instructions) throws InterruptedException {
    Positive.check("--hidden", hidden);
    ModelShape model =
        new ModelShape(
            Positive.check("--layers", otherLayers),
            hidden,
            heads == 0 ? Math.max(1, hidden / REAL_HEAD) : heads,
            inner == 0 ? 4 * hidden : inner,
            vocabulary,
            prefix);
    Map<String, String> keys = new LinkedHashMap<>();
    keys.put("engine.isa", instructions);
    keys.put("model.precision", precision.label());
    keys.putAll(ranks.overrides());
    return new Settings(model, Map.copyOf(keys), ranks.group(), ranks.topology(), peaks);
  }
}
