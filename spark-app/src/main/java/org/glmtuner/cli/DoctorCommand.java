package org.glmtuner.cli;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.diagnosis.Diagnosis;
import org.glmtuner.driver.DoctorJob;
import org.glmtuner.driver.Progress;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.report.ConsoleProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code doctor}: what would stop a run, or make it slow. */
@Command(
    name = "doctor",
    description = {
      "Checks this machine, or with the --master of a cluster all its executors: CPUs and kernels, topology and binding,",
      "memory, cache, file system, MPI library, products, reading and an all-reduce. Takes some seconds; nothing is left behind.",
      "Exit code 3 where something would stop a run, 8 where a cluster has no free slots to look."
    },
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  private static final int COLUMNS = 160;

  /** Not as long as a run; some schedulers need a minute to start an executor. */
  private static final Map<String, String> IMPATIENT_ON_A_CLUSTER = Map.of("ranks.wait", "90s");

  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;
  @Mixin private OutputOption output;

  @Option(names = "--json", description = "A JSON object for each finding instead of a table.")
  private boolean json;

  @Option(
      names = "--storage",
      paramLabel = "URI",
      description =
          "Directory in which a small file is written, read, renamed and deleted (default: where run.directory is to be).")
  private String storage = "";

  @Override
  public Integer call() throws Exception {
    return SparkSetup.hasCluster()
        ? report(configuration(true))
        : main.withoutSpark("doctor", this::local);
  }

  /** Only an option makes it wait longer, for the file is that of a run. */
  TunerConfig configuration(boolean cluster) throws IOException {
    return options.load(cluster ? IMPATIENT_ON_A_CLUSTER : ConfigOptions.IMPATIENT);
  }

  private int local() throws IOException, InterruptedException {
    try (OutputLines lines = output.open()) {
      return finish(job(configuration(false)).local(), lines);
    }
  }

  private int report(TunerConfig config) throws IOException, InterruptedException {
    try (OutputLines lines = output.open();
        SparkSession spark = SparkSetup.start("doctor", config);
        Progress progress = ConsoleProgress.onStandardError(SparkSetup.hasTerminal(spark))) {
      main.cancellation().watch(spark.sparkContext());
      return finish(job(config).cluster(spark, progress), lines);
    }
  }

  private DoctorJob job(TunerConfig config) {
    return new DoctorJob(config, storage, main.cancellation());
  }

  private int finish(Diagnosis diagnosis, OutputLines lines) throws IOException {
    (json ? diagnosis.json() : diagnosis.table(COLUMNS)).forEach(lines::write);
    lines.finish(diagnosis.summary());
    return diagnosis.exitCode().number();
  }
}
