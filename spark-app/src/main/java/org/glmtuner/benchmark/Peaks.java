package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuList;

/**
 * What the CPUs of a group can do together, measured by native loops while nothing else of ours
 * runs: in fused multiply-adds, and in the instructions that the group's products use. The best of
 * all measurements counts.
 */
final class Peaks {
  private final Path program;
  private final List<Integer> cpus;
  private final String products;
  private double fma;
  private double kernels;

  /**
   * @param program {@code instruction_peaks} of native-ddp
   */
  Peaks(Path program, TrainingGroup group) {
    this.program = program;
    this.cpus = group.ranks().cpus();
    this.products = group.kernels().replaceFirst("/.*", ""); // without the weights' type
  }

  /** Measures for a fraction of a second. */
  void measure() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                program.toString(), "--cpus", CpuList.format(cpus), "--products", products)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot measure the CPUs' peak: " + program + " exited with status " + status);
    }
    JsonObject peaks = JsonParser.parseString(output).getAsJsonObject();
    fma = Math.max(fma, peaks.get("fma_peak_gflops").getAsDouble() * 1e9);
    kernels = Math.max(kernels, peaks.get("kernel_peak_gflops").getAsDouble() * 1e9);
  }

  /** Operations per second of all the CPUs together, in FP32 on 256-bit registers. */
  double fma() {
    return fma;
  }

  /** With the instructions of the products. */
  double kernels() {
    return kernels;
  }
}
