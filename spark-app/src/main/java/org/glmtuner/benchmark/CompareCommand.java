package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
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
      "Measures our step and each mode of a peer one after the other, several rounds of all, and prints their ratios. Lines",
      "of JSON: the machine and the configuration, every measurement with its round, then per mode the ratio of the best",
      "rates and the median of the rounds' ratios. Our result is verified in the first round."
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
    Settings settings = options.settings();
    List<List<Sample>> rows =
        TokenRows.read(options.data(), settings.model())
            .dealt(settings.group().ranks(), options.rows());
    StepRun run = new StepRun(settings);
    lines.print(Machine.describe(settings));
    List<Double> ours = new ArrayList<>();
    List<List<Double>> theirs = new ArrayList<>();
    modes.forEach(mode -> theirs.add(new ArrayList<>()));
    for (int round = 0; round < Positive.check("--rounds", rounds); round++) {
      Verification.Extent verify = round == 0 ? options.verify() : Verification.Extent.NONE;
      ours.add(record(round, run.run(rows, options.repeat(), verify), lines));
      for (int mode = 0; mode < modes.size(); mode++) {
        JsonObject line =
            peer.run(
                modes.get(mode),
                settings,
                options.data(),
                options.rows(),
                Positive.check("--recipe-rows", recipeRows),
                options.repeat());
        theirs.get(mode).add(record(round, line, lines));
      }
    }
    for (int mode = 0; mode < modes.size(); mode++) {
      JsonObject line = new JsonObject();
      line.addProperty("peer", modes.get(mode));
      line.addProperty("ratio", Numbers.rounded(Ratios.ofBest(ours, theirs.get(mode))));
      line.addProperty("ratio_median", Numbers.rounded(Ratios.median(ours, theirs.get(mode))));
      lines.print(line);
    }
  }

  private static double record(int round, JsonObject line, Lines lines) {
    line.addProperty("round", round);
    lines.print(line);
    return line.get("tokens_per_second").getAsDouble();
  }
}
