package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuList;

/**
 * Another program that measures the same step and prints a line of JSON with {@code mode} and
 * {@code tokens_per_second}.
 *
 * @param python that has what the program imports
 * @param program a Python file
 */
record Peer(String python, Path program) {
  Peer {
    if (!Files.isRegularFile(program)) {
      throw TunerException.invalid(
          "Cannot compare: the peer "
              + program
              + " is no file (--peer-program, or GLM_TUNER_PEER in the environment)");
    }
  }

  /**
   * Runs one mode of it on the same CPUs.
   *
   * @param rows of each rank in the modes with one micro-batch
   * @param recipeRows of each rank in the recipe modes, which are slow
   */
  JsonObject run(String mode, Settings settings, Path data, int rows, int recipeRows, int repeat)
      throws IOException, InterruptedException {
    ModelShape model = settings.model();
    Settings.Group group = settings.group();
    List<String> command = new ArrayList<>(List.of("taskset", "-c"));
    command.add(CpuList.format(settings.topology().cpus()));
    command.addAll(List.of(python, program.toString(), "--modes", mode));
    command.addAll(List.of("--data", data.toAbsolutePath().toString()));
    add(command, "--layers", model.layers());
    add(command, "--vocab", model.vocabulary());
    add(command, "--hidden", model.hidden());
    add(command, "--heads", model.heads());
    add(command, "--inner", model.inner());
    add(command, "--prefix", model.prefix());
    add(command, "--ranks", group.ranks());
    add(command, "--threads", group.threads());
    add(command, "--rows", recipeRows);
    add(command, "--batch", rows);
    add(command, "--repeat", repeat);
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String last = "";
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        last = line.startsWith("{") ? line : last;
      }
    } finally {
      process.destroy();
    }
    int status = process.waitFor();
    if (status != 0 || last.isEmpty()) {
      throw new TunerException(
          ExitCode.TRAINING_FAILED,
          "Cannot compare: the peer's mode " + mode + " ended with status " + status);
    }
    return JsonParser.parseString(last).getAsJsonObject();
  }

  private static void add(List<String> command, String option, int value) {
    command.add(option);
    command.add(Integer.toString(value));
  }
}
