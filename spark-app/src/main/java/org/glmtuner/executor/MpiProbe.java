package org.glmtuner.executor;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * What an MPI library says of itself, asked by a process of its own: what is loaded to be looked at
 * may take over signals or end the process.
 *
 * @param version as the library calls itself
 * @param standard the MPI standard it implements, such as 4.1
 */
record MpiProbe(String version, String standard) {
  private static final long LIMIT_SECONDS = 30;

  /**
   * Loads the library without initialising it.
   *
   * @param program {@code mpi-probe}
   * @param environment of ranks, as far as it is known before the library is: it may say where the
   *     library's own libraries are
   * @throws TunerException (exit code 3) saying why ranks cannot use the library
   */
  static MpiProbe of(Path program, Path library, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(program.toString(), library.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectInput(new File("/dev/null"));
    builder.environment().keySet().retainAll(RankLaunch.INHERITED);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        throw unusable(library, "loading it took more than " + LIMIT_SECONDS + " s");
      }
      // a line is smaller than a pipe: the process could end before it was read
      String line =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return read(library, line, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }

  private static MpiProbe read(Path library, String line, int exitValue) {
    JsonObject answer;
    try {
      answer = JsonParser.parseString(line).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      throw unusable(library, "the process that loaded it ended with code " + exitValue);
    }
    if (answer.has("problem")) {
      throw new TunerException(
          ExitCode.UNSUITABLE, answer.get("problem").getAsString() + " (mpi.library)");
    }
    return new MpiProbe(answer.get("version").getAsString(), answer.get("standard").getAsString());
  }

  private static TunerException unusable(Path library, String reason) {
    return new TunerException(
        ExitCode.UNSUITABLE,
        "Cannot use the MPI library " + library + ": " + reason + " (mpi.library)");
  }
}
