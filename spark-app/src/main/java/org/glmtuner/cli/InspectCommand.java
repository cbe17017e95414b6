package org.glmtuner.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.inspection.Inspection;
import org.glmtuner.inspection.Inspector;
import org.glmtuner.report.ByteProgress;
import org.glmtuner.storage.SourcePath;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code inspect}: what a path holds, and what is wrong with it. */
@Command(
    name = "inspect",
    description = {
      "Explains a model, a prefix checkpoint (ours, the official trainer's, safetensors), a weight file or a run directory:",
      "shapes, types, parameters, fingerprints, releases, steps, problems. Exit code 6 where there are problems."
    },
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private OutputOption output;

  @Parameters(
      paramLabel = "PATH",
      description = "A directory or a file; a local path or a Hadoop URI.")
  private String path;

  @Option(names = "--json", description = "One JSON object instead of text, with every tensor.")
  private boolean json;

  @Option(
      names = "--verify",
      description = {
        "Reads all weights too: for values that are not finite, damage, and SHA-256 of published files.",
        "Prefixes are always read."
      })
  private boolean verify;

  @Override
  public Integer call() throws Exception {
    return main.withoutSpark("inspect", this::inspect);
  }

  private int inspect() throws IOException {
    try (ByteProgress progress =
            ByteProgress.onStandardError("reading", main.cancellation()::isCancelled);
        OutputLines lines = output.open()) {
      Inspection inspection = new Inspector(verify, progress::read).inspect(SourcePath.find(path));
      (json ? List.of(inspection.toJson()) : inspection.toText()).forEach(lines::write);
      List<String> problems = inspection.problems();
      JsonObject line = new JsonObject();
      line.addProperty("status", problems.isEmpty() ? "finished" : "failed");
      line.addProperty("holds", inspection.label());
      line.addProperty("problems", problems.size());
      if (!problems.isEmpty()) {
        line.addProperty("exit_code", ExitCode.DAMAGED.number());
        line.addProperty("error", problems.get(0));
      }
      lines.finish(line);
      return problems.isEmpty() ? ExitCode.DONE.number() : ExitCode.DAMAGED.number();
    }
  }
}
