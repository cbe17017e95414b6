package org.glmtuner.executor;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.CpuList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a rank is bound to its CPUs: by {@code taskset}, before its JVM has a thread, since threads
 * inherit what the first one may use. Where the kernel does not allow that the rank runs unbound,
 * unless {@code ranks.require-binding} forbids it.
 *
 * @param obstacle why it cannot be bound; empty if it can
 */
record Binding(CpuGroup group, boolean required, String program, String obstacle) {
  private static final Logger LOG = LoggerFactory.getLogger(Binding.class);
  private static final String ALLOWED = "Cpus_allowed_list:";

  /**
   * What the kernel says of a running rank.
   *
   * @param asPlanned whether all its threads are on its CPUs and no others
   */
  record Readback(boolean asPlanned, String text) {
    /** Into the log, and to the driver where it is not as planned. */
    void report(String attempt, TaskMessage.Member rank) throws IOException {
      LOG.info("{}: {}", rank, text);
      if (!asPlanned) {
        DriverLink.ask(new TaskMessage.Note(attempt, rank, text));
      }
    }
  }

  /**
   * Tries whether a process of this one can be bound to the group.
   *
   * @throws TunerException (exit code 3) if it cannot and {@code required}
   */
  static Binding of(CpuGroup group, boolean required) throws InterruptedException {
    return of(group, required, "taskset");
  }

  /** As the other, with another program in the place of {@code taskset}. */
  static Binding of(CpuGroup group, boolean required, String program) throws InterruptedException {
    String obstacle = attempt(List.of(program, "-c", CpuList.format(group.cpus()), "true"));
    if (required && !obstacle.isEmpty()) {
      throw refused("CPUs " + CpuList.format(group.cpus()) + ": " + obstacle);
    }
    return new Binding(group, required, program, obstacle);
  }

  private static String attempt(List<String> command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (BufferedReader output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        String said = output.lines().findFirst().orElse("");
        int status = process.waitFor();
        if (status == 0) {
          return "";
        }
        return said.isEmpty() ? command.get(0) + " ended with status " + status : said;
      }
    } catch (IOException e) {
      return e.getMessage();
    }
  }

  private static TunerException refused(String reason) {
    return new TunerException(
        ExitCode.UNSUITABLE, "Cannot bind a rank to " + reason + " (ranks.require-binding)");
  }

  /** What comes before the rank's own command line. */
  List<String> command() {
    return obstacle.isEmpty() ? List.of(program, "-c", CpuList.format(group.cpus())) : List.of();
  }

  /**
   * Compares the plan with the kernel's word on all threads of the rank.
   *
   * @param cpus that the rank's own main thread may use, as it says
   * @throws TunerException (exit code 3) if they differ and a binding is required
   */
  Readback readBack(long process, int[] cpus) throws IOException {
    TreeSet<String> lists = new TreeSet<>();
    lists.add(CpuList.format(cpus));
    int threads = 0;
    try (DirectoryStream<Path> tasks =
        Files.newDirectoryStream(Path.of("/proc/" + process + "/task"))) {
      for (Path task : tasks) {
        Optional<List<Integer>> allowed = allowed(task);
        allowed.ifPresent(list -> lists.add(CpuList.format(list)));
        threads += allowed.isPresent() ? 1 : 0;
      }
    }
    if (lists.equals(new TreeSet<>(List.of(CpuList.format(group.cpus()))))) {
      return new Readback(true, "all " + threads + " threads are bound to " + group);
    }
    String found =
        "CPUs " + String.join(" and ", lists) + " instead of " + CpuList.format(group.cpus());
    if (required) {
      throw refused("CPUs " + CpuList.format(group.cpus()) + ": its threads are on " + found);
    }
    return new Readback(
        false,
        obstacle.isEmpty()
            ? "its threads are on " + found
            : "it runs unbound, on " + found + ": " + obstacle);
  }

  /** Of a thread; empty if it has just ended. */
  private static Optional<List<Integer>> allowed(Path task) throws IOException {
    try {
      return Files.readAllLines(task.resolve("status")).stream()
          .filter(line -> line.startsWith(ALLOWED))
          .findFirst()
          .map(line -> CpuList.parse(line.substring(ALLOWED.length())));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (Files.exists(task)) {
        throw e;
      }
      return Optional.empty(); // it ended while it was read
    }
  }
}
