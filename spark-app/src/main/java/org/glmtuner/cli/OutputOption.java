package org.glmtuner.cli;

import picocli.CommandLine.Option;

/** Where a command that produces rows puts them. */
final class OutputOption {
  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "A local path or a Hadoop URI for the rows; without it they go to standard output.")
  private String file = "";

  OutputLines open() {
    return new OutputLines(file);
  }
}
