package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.TunerException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code compare}: our step and those of peers, in turn. */
@Command(
    name = "compare",
    description = {
      "Measures our step, with each of --isa, and each mode of a peer one after the other, several rounds of all. Lines of",
      "JSON: machine, versions and configuration; the verification of each of our configurations, before the rounds; every",
      "measurement with its round, a peer's with its ratios to ours of the same round; at the end the least and the median",
      "of each ratio. Each line is written as soon as it is known."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class CompareCommand implements Callable<Integer> {
  @Mixin private final StepOptions options = new StepOptions(4, 8192, 16, 3);

  @Option(names = "--rounds", description = "Rounds (default: ${DEFAULT-VALUE}).")
  private int rounds = 3;

  @Option(
      names = "--peer",
      paramLabel = "PYTHON",
      required = true,
      description = "A Python that has what the peer's program imports.")
  private String python;

  @Option(
      names = "--peer-program",
      paramLabel = "FILE",
      description = "The peer's program (default: GLM_TUNER_PEER of the environment).")
  private Path program;

  @Option(
      names = "--modes",
      split = ",",
      description = "Of the peer (default: recipe-fp32,tuned-fp32,packed-fp32).")
  private List<String> modes = List.of("recipe-fp32", "tuned-fp32", "packed-fp32");

  @Option(
      names = "--recipe-rows",
      description = "Rows of each rank in the peer's recipe modes (default: ${DEFAULT-VALUE}).")
  private int recipeRows = 4;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "A new file for the lines, beside standard output.")
  private Path output;

  @Override
  public Integer call() throws Exception {
    Peer peer = new Peer(python, peerProgram());
    try (PrintWriter file = file()) {
      compare(
          peer,
          line -> {
            System.out.println(line);
            if (file != null) {
              file.println(line);
              file.flush();
            }
          });
      if (file != null && file.checkError()) {
        throw new IOException("Cannot write " + output);
      }
    }
    return 0;
  }

  private Path peerProgram() {
    String given = System.getenv("GLM_TUNER_PEER");
    if (program == null && given == null) {
      throw TunerException.invalid(
          "Cannot compare: no peer is named (--peer-program, or GLM_TUNER_PEER in the environment)");
    }
    return program == null ? Path.of(given) : program;
  }

  private PrintWriter file() throws IOException {
    return output == null
        ? null
        : new PrintWriter(Files.newBufferedWriter(output, StandardOpenOption.CREATE_NEW));
  }

  private interface Lines {
    void print(JsonObject line);
  }

  private void compare(Peer peer, Lines lines) throws IOException, InterruptedException {
    Map<String, Settings> ours = options.settingsByIsa();
    Settings any = ours.values().iterator().next();
    List<List<Sample>> rows =
        TokenRows.read(options.data(), any.model()).dealt(any.group().ranks(), options.rows());
    Positive.check("--rounds", rounds);
    Positive.check("--recipe-rows", recipeRows);
    Map<String, StepRun> runs = new LinkedHashMap<>();
    for (Map.Entry<String, Settings> each : ours.entrySet()) {
      runs.put(each.getKey(), new StepRun(each.getValue()));
    }
    lines.print(Machine.describe(ours.values(), options.verify()));
    Map<String, StepResult> verified =
        options.verify() == Verification.Extent.NONE ? Map.of() : verify(runs, rows, lines);
    Map<String, List<Double>> ourRates = new LinkedHashMap<>();
    Map<String, List<Double>> theirRates = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Map.Entry<String, StepRun> run : runs.entrySet()) {
        StepRun.Measured own = run.getValue().measure(rows, options.repeat());
        if (verified.containsKey(run.getKey())) {
          StepMeasurement.checkSame(verified.get(run.getKey()).report(), own.report());
        }
        own.line().addProperty("isa", run.getKey());
        add(ourRates, run.getKey(), own.line());
        print(round, own.line(), lines);
      }
      for (String mode : modes) {
        JsonObject line =
            peer.run(mode, any, options.data(), options.rows(), recipeRows, options.repeat());
        add(theirRates, mode, line);
        JsonObject ratios = new JsonObject();
        ourRates.forEach(
            (isa, rates) ->
                ratios.addProperty(
                    isa, Numbers.rounded(Ratios.of(rates, theirRates.get(mode)).last())));
        line.add("ratios", ratios);
        print(round, line, lines);
      }
    }
    ourRates.forEach(
        (isa, own) ->
            theirRates.forEach(
                (mode, their) -> lines.print(summary(isa, mode, Ratios.of(own, their)))));
  }

  /** Each configuration's step beside one that all of them must agree with. */
  private Map<String, StepResult> verify(
      Map<String, StepRun> runs, List<List<Sample>> rows, Lines lines)
      throws IOException, InterruptedException {
    StepResult reference = runs.values().iterator().next().reference(rows);
    Map<String, StepResult> verified = new LinkedHashMap<>();
    for (Map.Entry<String, StepRun> run : runs.entrySet()) {
      StepResult result = run.getValue().once(rows);
      JsonObject line = new JsonObject();
      line.addProperty("isa", run.getKey());
      line.add("verification", run.getValue().verify(rows, result, reference).toJson());
      lines.print(line);
      verified.put(run.getKey(), result);
    }
    return verified;
  }

  private static void add(Map<String, List<Double>> rates, String name, JsonObject line) {
    rates
        .computeIfAbsent(name, absent -> new ArrayList<>())
        .add(line.get("tokens_per_second").getAsDouble());
  }

  private static void print(int round, JsonObject line, Lines lines) {
    line.addProperty("round", round);
    lines.print(line);
  }

  private static JsonObject summary(String isa, String mode, Ratios ratios) {
    JsonObject line = new JsonObject();
    line.addProperty("isa", isa);
    line.addProperty("peer", mode);
    line.addProperty("rounds", ratios.rounds().size());
    line.addProperty("ratio_min", Numbers.rounded(ratios.least()));
    line.addProperty("ratio_median", Numbers.rounded(ratios.median()));
    return line;
  }
}
