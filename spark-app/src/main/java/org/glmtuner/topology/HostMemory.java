package org.glmtuner.topology;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.glmtuner.topology.Topology.MemoryNode;

/**
 * How much memory a host has. The kernel counts it twice: as a whole, and for each NUMA node. In a
 * virtual machine that was given memory after its start, the count of a node may have stayed as it
 * was, and be half of what there is.
 */
final class HostMemory {
  private static final Pattern TOTAL = Pattern.compile("MemTotal: +(\\d+) kB");

  private HostMemory() {}

  /**
   * The topology, whose only node has all that the host has. That of a host with several nodes, or
   * whose files do not say, stays as it is.
   *
   * @param root of the host's {@code /proc} and {@code /sys}
   */
  static Topology complete(Topology host, Path root) {
    if (host.memory().size() != 1) {
      return host;
    }
    MemoryNode node = host.memory().get(0);
    try {
      if (!hasOneNode(root)) {
        return host; // a control group allows no other
      }
      long bytes = Math.max(node.bytes(), total(root.resolve("proc/meminfo")));
      return new Topology(
          host.clusters(),
          List.of(
              new MemoryNode(
                  node.number(), bytes, node.kind(), node.bandwidth(), node.cacheBytes())));
    } catch (IOException | NumberFormatException e) {
      return host; // the node's own count stands
    }
  }

  /** A kernel without NUMA has no such file. */
  private static boolean hasOneNode(Path root) throws IOException {
    Path online = root.resolve("sys/devices/system/node/online");
    return !Files.exists(online) || Files.readString(online).strip().matches("\\d+");
  }

  private static long total(Path meminfo) throws IOException {
    Matcher total = TOTAL.matcher(Files.readString(meminfo));
    return total.find() ? Long.parseLong(total.group(1)) << 10 : 0;
  }
}
