package org.glmtuner.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.GenerateJob;
import org.glmtuner.driver.Progress;
import org.glmtuner.driver.PromptFile;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.report.ConsoleProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code generate}: what the model writes, with or without a prefix. */
@Command(
    name = "generate",
    description = {
      "Completes prompts as the keys of generation say: one JSON object a prompt, in their order, with prompt and text,",
      "or with input_ids and new_ids where the prompts are ids."
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
      description = {
        "JSON Lines with texts in data.prompt-column, or with ids that end in gMASK and sop in input_ids;",
        "a local path or a Hadoop URI."
      })
  private String file = "";

  @Override
  public Integer call() throws IOException, InterruptedException {
    TunerConfig config = options.load();
    List<PromptFile.Row> all = new ArrayList<>();
    prompts.forEach(prompt -> all.add(PromptFile.Row.of(prompt)));
    if (!file.isEmpty()) {
      all.addAll(PromptFile.read(file, config.data()));
    }
    try (OutputLines lines = output.open();
        SparkSession spark = SparkSetup.start("generate", config);
        Progress progress = ConsoleProgress.onStandardError(SparkSetup.hasTerminal(spark))) {
      main.cancellation().watch(spark.sparkContext());
      new GenerateJob(spark, config, progress, main.cancellation())
          .run(all, prefix.checkpoint(), prefix.compareBase(), lines::write);
      lines.finish("prompts", all.size());
    }
    return 0;
  }
}
