package org.glmtuner.benchmark;

import java.util.LinkedHashMap;
import java.util.Map;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuList;
import org.glmtuner.topology.Topology;
import picocli.CommandLine.Option;

/** The options of all commands that start ranks. */
final class RankOptions {
  @Option(names = "--ranks", description = "Processes (default: ${DEFAULT-VALUE}).")
  private int ranks = 2;

  @Option(names = "--threads", description = "Threads of each (default: ${DEFAULT-VALUE}).")
  private int threads = 1;

  @Option(
      names = "--cpus",
      paramLabel = "LIST",
      description = "CPUs to pin ranks to, such as 0-3,8 (default: all that may be used).")
  private String cpus = "";

  @Option(
      names = "-D",
      paramLabel = "KEY=VALUE",
      description = "Overrides a key of the configuration; may be given many times.")
  private Map<String, String> overrides = new LinkedHashMap<>();

  Settings.Group group() {
    return new Settings.Group(
        Positive.check("--ranks", ranks), Positive.check("--threads", threads));
  }

  /** This machine, or of it the CPUs that were named. */
  Topology topology() throws InterruptedException {
    Topology host = HostTopology.read(ConfigLoader.load("", "", overrides).cache().path());
    try {
      return cpus.isEmpty() ? host : host.restrictedTo(CpuList.parse(cpus));
    } catch (IllegalArgumentException e) {
      throw TunerException.invalid("Invalid --cpus: " + cpus + " (" + e.getMessage() + ")");
    }
  }

  Map<String, String> overrides() {
    return overrides;
  }
}
