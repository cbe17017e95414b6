package org.glmtuner.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.spark.SparkUserAppException;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.Cancellation;
import org.glmtuner.driver.SparkSetup;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.report.FailureLine;
import org.glmtuner.storage.FileFailures;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * Parses the command line, runs a command, and ends the process as Spark's deploy mode wants it.
 */
@Command(
    name = "glm-tuner",
    description = "Prompt-tunes ChatGLM-6B on the CPUs of an Apache Spark cluster.",
    subcommands = {
      TrainCommand.class,
      EvaluateCommand.class,
      ScoreCommand.class,
      GenerateCommand.class,
      TokenizeCommand.class,
      InspectCommand.class,
      ConvertCommand.class,
      PlanCommand.class,
      DoctorCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class)
public final class Main implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  /** The version that the build put into the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"glm-tuner " + (version == null ? "(not from a jar)" : version)};
    }
  }

  private final Cancellation cancellation;

  private Main(Cancellation cancellation) {
    this.cancellation = cancellation;
  }

  /** Tells commands that the user wants them to end. */
  Cancellation cancellation() {
    return cancellation;
  }

  /** Called by {@link GlmTuner}, which an older Java can load too. */
  public static void run(String[] arguments) throws SparkUserAppException {
    // The result is JSON, which is UTF-8 whatever the locale.
    System.setOut(
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
    Cancellation cancellation = Cancellation.install();
    int code = execute(arguments, cancellation);
    System.out.flush();
    cancellation.done();
    if (inCluster()) {
      // There YARN takes System.exit(0) for a failure and starts the driver again.
      if (code != 0) {
        throw new SparkUserAppException(code);
      }
      return;
    }
    System.exit(code); // Spark leaves threads behind that would keep the JVM alive
  }

  /** Whether the cluster has started this driver. */
  private static boolean inCluster() {
    return "cluster".equals(System.getProperty("spark.submit.deployMode"));
  }

  /**
   * Runs a command that needs no Spark. In YARN's cluster mode it gets a session all the same: YARN
   * fails an application that starts none.
   */
  int withoutSpark(String name, Callable<Integer> command) throws Exception {
    if (!inCluster() || !"yarn".equals(System.getProperty("spark.master"))) {
      return command.call();
    }
    TunerConfig defaults = ConfigLoader.load("", "", Map.of());
    try (SparkSession spark = SparkSetup.start(name, defaults)) {
      cancellation.watch(spark.sparkContext());
      return command.call();
    }
  }

  static int execute(String[] arguments, Cancellation cancellation) {
    CommandLine commands =
        new CommandLine(new Main(cancellation)).setCaseInsensitiveEnumValuesAllowed(true);
    commands.setExecutionExceptionHandler(
        (exception, command, parsed) -> FailureLine.print(failure(exception, cancellation)));
    commands.setParameterExceptionHandler(
        (exception, args) -> {
          CommandLine command = exception.getCommandLine();
          String name = command.getCommandSpec().qualifiedName();
          return FailureLine.print(
              TunerException.invalid(
                  "Invalid arguments: " + exception.getMessage() + " (see " + name + " --help)"));
        });
    return commands.execute(arguments);
  }

  private static TunerException failure(Exception exception, Cancellation cancellation) {
    TunerException failure;
    if (exception instanceof TunerException known) {
      failure = known;
      LOG.debug("Failed", exception);
    } else if (exception instanceof IOException storage) {
      failure = FileFailures.explain("go on", storage);
      LOG.info("Failed", exception);
    } else {
      failure =
          new TunerException(ExitCode.TRAINING_FAILED, "Cannot go on: " + exception, exception);
      LOG.error("Failed", exception); // not foreseen: the trace is needed to mend it
    }
    boolean cancelled = cancellation.isCancelled() && failure.exitCode() != ExitCode.CANCELLED;
    return cancelled ? new TunerException(ExitCode.CANCELLED, "Cancelled", failure) : failure;
  }

  @Override
  public void run() {
    throw TunerException.invalid("Invalid arguments: a command is missing (see glm-tuner --help)");
  }
}
