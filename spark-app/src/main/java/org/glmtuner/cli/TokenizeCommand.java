package org.glmtuner.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.driver.TokenizeJob;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code tokenize}: what the tokenizer and the trainer make of the rows. */
@Command(
    name = "tokenize",
    description = "Shows the ids of the rows of data.train, one JSON object a line.",
    mixinStandardHelpOptions = true)
final class TokenizeCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;
  @Mixin private OutputOption output;

  @Option(
      names = "--training-rows",
      description =
          "input_ids and labels as the trainer sees them, padded; without it, the ids of the prompt column.")
  private boolean trainingRows;

  @Override
  public Integer call() throws IOException, InterruptedException {
    TunerConfig config = options.load();
    try (OutputLines lines = output.open();
        SparkSession spark = SparkSetup.start("tokenize", config)) {
      main.cancellation().watch(spark.sparkContext());
      long rows = new TokenizeJob(spark, config).run(trainingRows, lines::write);
      lines.finish("rows", rows);
    }
    return 0;
  }
}
