package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The CPU time that control groups grant this process: Kubernetes and YARN may let a container use
 * every CPU of a host, but all of them together no longer than some.
 */
public final class CpuTime {
  private CpuTime() {}

  /** Seconds in each second; infinite without a limit. */
  public static double granted() throws IOException {
    return granted(Path.of("/"));
  }

  /** Reads {@code /proc} and {@code /sys} below {@code root}. */
  static double granted(Path root) throws IOException {
    double least = Double.POSITIVE_INFINITY;
    for (ControlGroups.Group group : ControlGroups.of(root, "cpu")) {
      String limit =
          group.unified()
              ? text(group, "cpu.max") // such as "max 100000" or "150000 100000"
              : text(group, "cpu.cfs_quota_us") + " " + text(group, "cpu.cfs_period_us");
      String[] fields = limit.strip().split("\\s+", -1);
      if (fields.length == 2 && !fields[0].equals("max") && !fields[0].startsWith("-")) {
        least = Math.min(least, Double.parseDouble(fields[0]) / Double.parseDouble(fields[1]));
      }
    }
    return least;
  }

  private static String text(ControlGroups.Group group, String file) throws IOException {
    Path path = group.directory().resolve(file);
    return Files.isReadable(path) ? Files.readString(path).strip() : "";
  }
}
