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
  private static final String GROUPS = "proc/self/cgroup";
  private static final String HIERARCHY = "sys/fs/cgroup";

  /** How the kernel says that there is no limit: almost 2^63, in pages or not. */
  private static final long UNLIMITED = 1L << 60;

  /** Of a version of control groups: where it is mounted and the names of its files. */
  private record Version(
      String mount, String limit, String usage, String inactiveFile, String activeFile) {}

  private static final Version FIRST =
      new Version(
          HIERARCHY + "/memory",
          "memory.limit_in_bytes",
          "memory.usage_in_bytes",
          "total_inactive_file",
          "total_active_file");
  private static final Version SECOND =
      new Version(HIERARCHY, "memory.max", "memory.current", "inactive_file", "active_file");

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
    Path groups = root.resolve(GROUPS);
    List<String> lines = Files.exists(groups) ? Files.readAllLines(groups) : List.of();
    for (String line : lines) { // number:controllers:path
      String[] fields = line.split(":", 3);
      if (List.of(fields[1].split(",", -1)).contains("memory")) {
        groups(root, FIRST, fields[2], limits);
      } else if (fields[1].isEmpty()) {
        groups(root, SECOND, fields[2], limits);
      }
    }
    return limits;
  }

  private static long host(Path root) throws IOException {
    return value(root.resolve("proc/meminfo"), "MemAvailable:")
        .map(kilobytes -> kilobytes << 10)
        .orElseThrow(() -> new IOException("/proc/meminfo does not say MemAvailable"));
  }

  /**
   * The limits of a group and of those it is in; one whose usage this process may not read is
   * passed over, since nothing can be said of it. A container may see its own group as the root of
   * the hierarchy, by whatever path the kernel calls it.
   */
  private static void groups(Path root, Version version, String path, List<MemoryLimit> limits)
      throws IOException {
    Path mount = root.resolve(version.mount());
    Path group = mount.resolve(path.substring(1)).normalize();
    if (!group.startsWith(mount)) { // of another group's member, as seen from inside one
      group = mount;
    }
    while (group.startsWith(mount)) {
      Path file = group.resolve(version.limit());
      if (Files.isReadable(file) && Files.isReadable(group.resolve(version.usage()))) {
        String limit = Files.readString(file).strip();
        if (!limit.equals("max") && Long.parseLong(limit) < UNLIMITED) {
          long free = Long.parseLong(limit) - used(group, version);
          limits.add(
              new MemoryLimit(
                  Kind.CONTROL_GROUP, "/" + mount.relativize(group), Math.max(0, free)));
        }
      }
      group = group.getParent();
    }
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
