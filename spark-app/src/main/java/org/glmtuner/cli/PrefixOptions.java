package org.glmtuner.cli;

import org.glmtuner.failure.TunerException;
import picocli.CommandLine.Option;

/** With which prefix a command works on the base. */
final class PrefixOptions {
  @Option(
      names = "--checkpoint",
      paramLabel = "DIRECTORY",
      description = {
        "The prefix: a checkpoint directory, ours or an official one, or 'latest' or 'best' for one of run.directory.",
        "Without it, the base alone."
      })
  private String checkpoint = "";

  @Option(
      names = "--compare-base",
      description = "Everything with the base alone too, side by side.")
  private boolean compareBase;

  /** Whether neither option was given. */
  boolean isEmpty() {
    return checkpoint.isEmpty() && !compareBase;
  }

  String checkpoint() {
    return checkpoint;
  }

  boolean compareBase() {
    if (compareBase && checkpoint.isEmpty()) {
      throw TunerException.invalid(
          "Invalid arguments: --compare-base needs a --checkpoint to compare with");
    }
    return compareBase;
  }
}
