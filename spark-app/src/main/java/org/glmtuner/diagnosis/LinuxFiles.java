package org.glmtuner.diagnosis;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What the kernel says of itself and of a process, in files below {@code root}. */
record LinuxFiles(Path root) {
  private static final String CPUS = "sys/devices/system/cpu";

  /** Those of this host. */
  static LinuxFiles here() {
    return new LinuxFiles(Path.of("/"));
  }

  /** A file's text without surrounding space; nothing where it cannot be read. */
  Optional<String> text(String path) {
    try {
      return Optional.of(Files.readString(root.resolve(path)).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** The value of the first {@code name : value} line. */
  private Optional<String> cpuInfo(String name) {
    return text("proc/cpuinfo").stream()
        .flatMap(String::lines)
        .map(line -> line.split(":", 2))
        .filter(fields -> fields.length == 2 && fields[0].strip().equals(name))
        .map(fields -> fields[1].strip())
        .findFirst();
  }

  Optional<String> cpuModel() {
    return cpuInfo("model name");
  }

  /** What the CPU can do, by the kernel's names. */
  Set<String> cpuFlags() {
    return new TreeSet<>(List.of(cpuInfo("flags").orElse("").split(" ", -1)));
  }

  /** The value in use of a choice such as {@code always [madvise] never}. */
  Optional<String> choice(String path) {
    return text(path)
        .filter(choices -> choices.contains("[") && choices.contains("]"))
        .map(choices -> choices.substring(choices.indexOf('[') + 1, choices.indexOf(']')));
  }

  /** Governors of the frequencies of all CPUs; none in most virtual machines. */
  Set<String> governors() {
    Set<String> governors = new TreeSet<>();
    for (Path cpu : list(CPUS, "cpu[0-9]*")) {
      text(root.relativize(cpu.resolve("cpufreq/scaling_governor")).toString())
          .ifPresent(governors::add);
    }
    return governors;
  }

  /** A driver that chooses frequencies by itself, whatever the governor's name suggests. */
  Optional<String> frequencyDriver() {
    return text(CPUS + "/cpu0/cpufreq/scaling_driver");
  }

  /**
   * A soft limit of this process.
   *
   * @param name as {@code /proc/self/limits} has it
   * @return nothing where it is unlimited or unknown
   */
  Optional<Long> limit(String name) {
    return text("proc/self/limits").stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(name.length()).strip().split("\\s+", -1)[0])
        .filter(value -> !value.equals("unlimited"))
        .map(Long::parseLong)
        .findFirst();
  }

  /** Entries of a directory, sorted; none where it cannot be read. */
  List<Path> list(String directory, String glob) {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(root.resolve(directory), glob)) {
      stream.forEach(entries::add);
    } catch (IOException | DirectoryIteratorException e) {
      return List.of();
    }
    entries.sort(null);
    return entries;
  }
}
