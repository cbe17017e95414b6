package org.glmtuner.benchmark;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuList;

/**
 * What the fused multiply-add units of some CPUs can do together, measured by a native loop while
 * nothing else of ours runs. The best of all measurements counts.
 */
final class FmaPeak {
  private final Path program;
  private final List<Integer> cpus;
  private double best;

  /**
   * @param program {@code fma_peak} of native-ddp
   */
  FmaPeak(Path program, List<Integer> cpus) {
    this.program = program;
    this.cpus = cpus;
  }

  /** Measures for a fraction of a second. */
  void measure() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(program.toString(), "--cpus", CpuList.format(cpus))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot measure the FMA peak: " + program + " exited with status " + status);
    }
    best =
        Math.max(
            best,
            JsonParser.parseString(output).getAsJsonObject().get("fma_peak_gflops").getAsDouble());
  }

  /** Operations per second of all the CPUs together. */
  double operationsPerSecond() {
    return best * 1e9;
  }
}
