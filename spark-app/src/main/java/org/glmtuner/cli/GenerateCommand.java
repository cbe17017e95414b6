package org.glmtuner.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.GenerateJob;
import org.glmtuner.driver.Progress;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.failure.TunerException;
import org.glmtuner.report.ConsoleProgress;
import org.glmtuner.storage.TextFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code generate}: what the model writes, with or without a prefix. */
@Command(
    name = "generate",
    description = {
      "Completes prompts greedily, up to data.max-target-length new tokens: one JSON object a prompt, with prompt and text."
    },
    mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;
  @Mixin private PrefixOptions prefix;
  @Mixin private OutputOption output;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "A prompt; may be given many times.")
  private List<String> prompts = new ArrayList<>();

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "JSON Lines with prompts in data.prompt-column; a local path or a Hadoop URI.")
  private String file = "";

  @Override
  public Integer call() throws IOException, InterruptedException {
    TunerConfig config = options.load();
    List<String> all = new ArrayList<>(prompts);
    if (!file.isEmpty()) {
      all.addAll(read(config.data().columns().prompt()));
    }
    try (OutputLines lines = output.open();
        SparkSession spark = SparkSetup.start("generate", config.ranks());
        Progress progress = ConsoleProgress.onStandardError(SparkSetup.hasTerminal(spark))) {
      main.cancellation().watch(spark.sparkContext());
      new GenerateJob(spark, config, progress, main.cancellation())
          .run(all, prefix.checkpoint(), prefix.compareBase(), lines::write);
      lines.finish("prompts", all.size());
    }
    return 0;
  }

  private List<String> read(String column) throws IOException {
    List<String> texts = new ArrayList<>();
    int number = 0;
    for (String line : TextFile.read(file).lines().toList()) {
      number++;
      try {
        if (!line.isBlank()) {
          JsonObject row = JsonParser.parseString(line).getAsJsonObject();
          texts.add(row.get(column).getAsString());
        }
      } catch (JsonParseException
          | IllegalStateException
          | NullPointerException
          | UnsupportedOperationException e) {
        throw TunerException.damaged(
            "Cannot read "
                + file
                + ", row "
                + number
                + ": it is no JSON object with a text in column "
                + column
                + " (data.prompt-column)");
      }
    }
    return texts;
  }
}
