package org.glmtuner.topology;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Runs {@code glm-topology}, a program over hwloc that this process need not load.
 *
 * <p>All methods throw {@link TunerException} (exit code 3) with one sentence where the program
 * cannot be run, or says no.
 */
public final class TopologyProbe {
  /** It takes some milliseconds; a host under heavy load gets patience. */
  private static final Duration LIMIT = Duration.ofSeconds(20);

  /** For the kernel to end a program that is killed. */
  private static final long END_SECONDS = 5;

  private TopologyProbe() {}

  /**
   * What this process may use of its host: CPUs by its affinity and control group, NUMA nodes by
   * its control group.
   *
   * @param program path of {@code glm-topology}
   */
  public static Topology ofThisProcess(Path program) throws InterruptedException {
    return HostMemory.complete(
        parse(run(List.of(program.toString()), LIMIT), program), Path.of("/"));
  }

  /**
   * All of the host that a file describes.
   *
   * @param file XML as hwloc's {@code lstopo} writes it
   */
  public static Topology ofFile(Path program, Path file) throws InterruptedException {
    List<String> command = List.of(program.toString(), "--topology", file.toString());
    return parse(run(command, LIMIT), program);
  }

  private static Topology parse(String text, Path program) {
    try {
      return TopologyJson.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot read the topology: " + program + " printed what is none: " + e.getMessage(),
          e);
    }
  }

  /** What a command writes to standard output. */
  static String run(List<String> command, Duration limit) throws InterruptedException {
    Process process = start(command);
    try {
      CompletableFuture<String> output = text(process.getInputStream());
      CompletableFuture<String> errors = text(process.getErrorStream());
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw cannot(command, "did not end within " + limit.toMillis() / 1000.0 + " s");
      }
      int status = process.exitValue();
      if (status != 0) {
        String said = errors.join().strip();
        if (said.startsWith("Cannot ")) {
          throw new TunerException(ExitCode.UNSUITABLE, said); // a sentence of its own
        }
        throw cannot(command, "ended with status " + status + (said.isEmpty() ? "" : ": " + said));
      }
      return output.join();
    } finally {
      process.destroyForcibly().waitFor(END_SECONDS, TimeUnit.SECONDS);
    }
  }

  private static Process start(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command));
    builder.environment().put("LC_ALL", "C");
    try {
      return builder.start();
    } catch (IOException e) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot read the topology: "
              + command.get(0)
              + " cannot be run, perhaps since its file system is mounted noexec: "
              + e.getMessage(),
          e);
    }
  }

  private static CompletableFuture<String> text(InputStream stream) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            return ""; // it was killed
          }
        });
  }

  private static TunerException cannot(List<String> command, String reason) {
    return new TunerException(
        ExitCode.UNSUITABLE,
        "Cannot read the topology: " + String.join(" ", command) + " " + reason);
  }
}
