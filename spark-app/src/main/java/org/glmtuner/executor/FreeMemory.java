package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.glmtuner.executor.MemoryLimit.Kind;

/**
 * The memory that ranks of this process can get: what is left of the host's, of its control groups'
 * (containers of Kubernetes and Docker, systemd) and of its YARN container's. YARN's is known from
 * Spark's configuration alone: that the node manager does not enforce it, or counts the mapped
 * weights for every rank, is not to be seen from here. What other executors of a host are going to
 * take cannot be known at all.
 */
final class FreeMemory {
  /** How the kernel says that there is no limit: almost 2^63, in pages or not. */
  private static final long UNLIMITED = 1L << 60;

  /** Of a version of control groups: the names of its files and of their lines. */
  private record Version(String limit, String usage, String inactiveFile, String activeFile) {}

  private static final Version FIRST =
      new Version(
          "memory.limit_in_bytes",
          "memory.usage_in_bytes",
          "total_inactive_file",
          "total_active_file");
  private static final Version SECOND =
      new Version("memory.max", "memory.current", "inactive_file", "active_file");

  private FreeMemory() {}

  /** All limits that bind this process. */
  static List<MemoryLimit> limits() throws IOException {
    List<MemoryLimit> limits = new ArrayList<>(read(Path.of("/")));
    SparkEnv spark = SparkEnv.get();
    if (spark != null) {
      yarn(spark.conf(), spark.executorId()).ifPresent(limits::add);
    }
    return limits;
  }

  /** Reads {@code /proc} and {@code /sys} below {@code root}. */
  static List<MemoryLimit> read(Path root) throws IOException {
    List<MemoryLimit> limits = new ArrayList<>();
    limits.add(new MemoryLimit(Kind.HOST, "", host(root)));
    for (ControlGroups.Group group : ControlGroups.of(root, "memory")) {
      limit(group).ifPresent(limits::add);
    }
    return limits;
  }

  private static long host(Path root) throws IOException {
    return value(root.resolve("proc/meminfo"), "MemAvailable:")
        .map(kilobytes -> kilobytes << 10)
        .orElseThrow(() -> new IOException("/proc/meminfo does not say MemAvailable"));
  }

  /**
   * The limit of a group; one whose usage this process may not read is passed over, since nothing
   * can be said of it.
   */
  private static Optional<MemoryLimit> limit(ControlGroups.Group group) throws IOException {
    Version version = group.unified() ? SECOND : FIRST;
    Path file = group.directory().resolve(version.limit());
    if (!Files.isReadable(file) || !Files.isReadable(group.directory().resolve(version.usage()))) {
      return Optional.empty();
    }
    String limit = Files.readString(file).strip();
    if (limit.equals("max") || Long.parseLong(limit) >= UNLIMITED) {
      return Optional.empty();
    }
    long free = Long.parseLong(limit) - used(group.directory(), version);
    return Optional.of(new MemoryLimit(Kind.CONTROL_GROUP, group.name(), Math.max(0, free)));
  }

  /** Page cache counts as used, but the kernel drops it before a group runs into its limit. */
  private static long used(Path group, Version version) throws IOException {
    Path statistics = group.resolve("memory.stat");
    if (!Files.isReadable(statistics)) {
      return Long.parseLong(Files.readString(group.resolve(version.usage())).strip());
    }
    long cache =
        value(statistics, version.inactiveFile()).orElse(0L)
            + value(statistics, version.activeFile()).orElse(0L);
    return Math.max(
        0, Long.parseLong(Files.readString(group.resolve(version.usage())).strip()) - cache);
  }

  /** The number behind a name at the start of a line. */
  private static Optional<Long> value(Path file, String name) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .map(line -> line.strip().split("\\s+"))
          .filter(fields -> fields[0].equals(name))
          .findFirst()
          .map(fields -> Long.parseLong(fields[1]));
    }
  }

  /**
   * What a YARN container has besides the executor's heap: {@code spark.executor.memoryOverhead},
   * or what Spark asks for without it.
   */
  static Optional<MemoryLimit> yarn(SparkConf spark, String executor) {
    if (!spark.get("spark.master", "").startsWith("yarn") || executor.equals("driver")) {
      return Optional.empty();
    }
    long heap = spark.getSizeAsMb("spark.executor.memory", "1g");
    double factor = spark.getDouble("spark.executor.memoryOverheadFactor", 0.1);
    long least = spark.getSizeAsMb("spark.executor.minMemoryOverhead", "384m");
    long standard = Math.max((long) (factor * heap), least);
    long overhead = spark.getSizeAsMb("spark.executor.memoryOverhead", standard + "m");
    return Optional.of(new MemoryLimit(Kind.YARN_CONTAINER, executor, overhead << 20));
  }
}
