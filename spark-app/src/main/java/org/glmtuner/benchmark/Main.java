package org.glmtuner.benchmark;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.report.FailureLine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Main class of {@code spark-app/bin/benchmark}; needs no Spark on the class path. */
@Command(
    name = "benchmark",
    description = "Measures GLM Tuner's rank processes on this machine.",
    subcommands = {
      StepCommand.class,
      FullSizeCommand.class,
      LinearCommand.class,
      AllReduceCommand.class,
      CompareCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
public final class Main implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  public static void main(String[] arguments) {
    System.setOut(
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
    System.exit(execute(arguments));
  }

  /** The exit code; results are on standard output. */
  static int execute(String... arguments) {
    CommandLine commands = new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true);
    commands.setExecutionExceptionHandler(
        (exception, command, parsed) -> FailureLine.print(failure(exception)));
    commands.setParameterExceptionHandler(
        (exception, args) ->
            FailureLine.print(
                TunerException.invalid(
                    "Invalid arguments: "
                        + exception.getMessage()
                        + " (see "
                        + exception.getCommandLine().getCommandSpec().qualifiedName()
                        + " --help)")));
    return commands.execute(arguments);
  }

  private static TunerException failure(Exception exception) {
    if (exception instanceof TunerException known) {
      return known;
    }
    if (!(exception instanceof IOException)) {
      LOG.error("Failed", exception); // not foreseen: the trace is needed to mend it
    }
    return new TunerException(ExitCode.TRAINING_FAILED, "Cannot go on: " + exception, exception);
  }

  @Override
  public void run() {
    throw TunerException.invalid("Invalid arguments: a command is missing (see benchmark --help)");
  }
}
