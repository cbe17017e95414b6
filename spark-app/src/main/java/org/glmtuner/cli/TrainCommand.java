package org.glmtuner.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.Cancellation;
import org.glmtuner.driver.Progress;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.driver.TrainingJob;
import org.glmtuner.driver.TrainingResult;
import org.glmtuner.report.ConsoleProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** {@code train}: a run from its directory's state to its end. */
@Command(
    name = "train",
    description = {
      "Trains a prefix. The run lives in run.directory: started again, it resumes from its newest checkpoint;",
      "once finished, it returns its result."
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;

  @Override
  public Integer call() throws IOException, InterruptedException {
    TunerConfig config = options.load();
    Cancellation cancellation = main.cancellation();
    try (SparkSession spark = SparkSetup.start("train " + config.run().id(), config);
        Progress progress = ConsoleProgress.onStandardError(SparkSetup.hasTerminal(spark))) {
      cancellation.watch(spark.sparkContext());
      TrainingResult result = new TrainingJob(spark, config, progress, cancellation).run();
      System.out.println(result.toJson());
      return result.exitCode();
    }
  }
}
