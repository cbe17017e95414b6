package org.glmtuner.executor;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Where a rank runs.
 *
 * @param name for people
 * @param node equal for ranks that share memory through {@code /dev/shm} and see each other's
 *     processes: not the same as sharing a machine, as two containers show
 */
public record HostIdentity(String name, String node) {
  private static final String SEPARATOR = "/";

  public static HostIdentity read() throws IOException {
    String node =
        Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
            + SEPARATOR
            + Files.getAttribute(Path.of("/dev/shm"), "unix:dev")
            + SEPARATOR
            + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"))
            + SEPARATOR
            + Files.readSymbolicLink(Path.of("/proc/self/ns/ipc"));
    return new HostIdentity(InetAddress.getLocalHost().getHostName(), node);
  }

  /** Equal for all that share a kernel, and so its memory. */
  String machine() {
    return node.split(SEPARATOR, 2)[0];
  }

  /** What the kernel calls this host's CPU. */
  public static String cpuModel() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse("unknown");
    }
  }
}
