package org.glmtuner.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.Progress;
import org.glmtuner.driver.ScoreJob;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.report.ConsoleProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** {@code score}: how likely the responses are, with or without a prefix. */
@Command(
    name = "score",
    description = {
      "Computes the teacher-forced loss of the rows of data.validation, or of data.train where there are none:",
      "one JSON object a row, and the mean in the last line. The id counts the rows that are scored, from 0 in their order;",
      "malformed and empty ones have none."
    },
    mixinStandardHelpOptions = true)
final class ScoreCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;
  @Mixin private PrefixOptions prefix;
  @Mixin private OutputOption output;

  @Override
  public Integer call() throws IOException, InterruptedException {
    TunerConfig config = options.load();
    try (OutputLines lines = output.open();
        SparkSession spark = SparkSetup.start("score", config);
        Progress progress = ConsoleProgress.onStandardError(SparkSetup.hasTerminal(spark))) {
      main.cancellation().watch(spark.sparkContext());
      lines.finish(
          new ScoreJob(spark, config, progress, main.cancellation())
              .run(prefix.checkpoint(), prefix.compareBase(), lines::write));
    }
    return 0;
  }
}
