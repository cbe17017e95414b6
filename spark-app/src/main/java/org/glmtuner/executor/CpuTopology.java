package org.glmtuner.executor;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** The CPUs that this process may use, by CPU cluster, from the kernel's own files. */
public record CpuTopology(List<CpuCluster> clusters) implements Serializable {

  /** The CPUs of one NUMA node. */
  public record CpuCluster(int socket, int[] cpus) implements Serializable {}

  public static CpuTopology read() {
    return read(Path.of("/"));
  }

  /**
   * These CPUs as one cluster.
   *
   * @param list in the kernel's format, such as {@code 0-3,8}
   */
  public static CpuTopology ofList(String list) {
    return new CpuTopology(List.of(new CpuCluster(0, parseList(list))));
  }

  /** Reads {@code /proc} and {@code /sys} below {@code root}. */
  static CpuTopology read(Path root) {
    try {
      int[] allowed = allowed(root.resolve("proc/self/status"));
      Map<Integer, int[]> nodes = nodes(root.resolve("sys/devices/system/node"));
      List<CpuCluster> clusters = new ArrayList<>();
      for (int[] node : nodes.values()) {
        int[] cpus =
            IntStream.of(node).filter(cpu -> Arrays.binarySearch(allowed, cpu) >= 0).toArray();
        if (cpus.length > 0) {
          clusters.add(new CpuCluster(socket(root, cpus[0]), cpus));
        }
      }
      if (clusters.isEmpty()) { // kernels without NUMA and some containers show no nodes
        clusters.add(new CpuCluster(socket(root, allowed[0]), allowed));
      }
      clusters.sort(
          Comparator.<CpuCluster>comparingInt(CpuCluster::socket)
              .thenComparingInt(cluster -> cluster.cpus()[0]));
      return new CpuTopology(List.copyOf(clusters));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read this host's CPUs: " + e.getMessage(), e);
    }
  }

  /**
   * The groups of {@code cores} CPUs that ranks can be pinned to: pieces of clusters, or pieces of
   * the whole list where no cluster is large enough.
   */
  public List<CpuCluster> groups(int cores) {
    List<CpuCluster> groups = new ArrayList<>();
    for (CpuCluster cluster : clusters) {
      split(cluster, cores, groups);
    }
    if (groups.isEmpty()) {
      split(new CpuCluster(clusters.get(0).socket(), cpus()), cores, groups);
    }
    return groups;
  }

  /** All CPUs, cluster by cluster. */
  public int[] cpus() {
    return clusters.stream().flatMapToInt(cluster -> IntStream.of(cluster.cpus())).toArray();
  }

  private static void split(CpuCluster cluster, int cores, List<CpuCluster> groups) {
    for (int from = 0; from + cores <= cluster.cpus().length; from += cores) {
      groups.add(
          new CpuCluster(cluster.socket(), Arrays.copyOfRange(cluster.cpus(), from, from + cores)));
    }
  }

  private static int[] allowed(Path status) throws IOException {
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("Cpus_allowed_list:")) {
        return parseList(line.substring(line.indexOf(':') + 1));
      }
    }
    throw new IOException(status + " has no Cpus_allowed_list");
  }

  private static Map<Integer, int[]> nodes(Path directory) throws IOException {
    Map<Integer, int[]> nodes = new TreeMap<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "node[0-9]*")) {
        for (Path node : entries) {
          int number = Integer.parseInt(node.getFileName().toString().substring("node".length()));
          nodes.put(number, parseList(Files.readString(node.resolve("cpulist"))));
        }
      }
    }
    return nodes;
  }

  private static int socket(Path root, int cpu) throws IOException {
    Path file = root.resolve("sys/devices/system/cpu/cpu" + cpu + "/topology/physical_package_id");
    return Files.exists(file) ? Integer.parseInt(Files.readString(file).strip()) : 0;
  }

  /** The kernel's list format, such as {@code 0-3,8}; sorted. */
  static int[] parseList(String list) {
    IntStream.Builder cpus = IntStream.builder();
    for (String range : list.strip().split(",", -1)) {
      if (!range.isEmpty()) {
        String[] ends = range.split("-", -1);
        int last = Integer.parseInt(ends[ends.length - 1]);
        for (int cpu = Integer.parseInt(ends[0]); cpu <= last; cpu++) {
          cpus.add(cpu);
        }
      }
    }
    return cpus.build().sorted().toArray();
  }

  /** The inverse of {@link #parseList}, without ranges. */
  public static String formatList(int[] cpus) {
    return String.join(",", IntStream.of(cpus).mapToObj(Integer::toString).toList());
  }
}
