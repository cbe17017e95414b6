package org.glmtuner.topology;

import java.io.Serializable;
import java.util.List;

/**
 * A host as {@code glm-topology} prints it: what this process may use of it, or all that a topology
 * file describes.
 *
 * @param clusters by socket, then by their first CPU; at least one
 * @param memory the NUMA nodes by number, those without CPUs included
 */
public record Topology(List<CpuCluster> clusters, List<MemoryNode> memory) implements Serializable {
  public Topology {
    clusters = List.copyOf(clusters);
    memory = List.copyOf(memory);
    if (clusters.isEmpty()) {
      throw new IllegalArgumentException("Invalid topology: it has no CPU that may be used");
    }
  }

  /**
   * The cores that share their nearest memory: those of a NUMA node, a quarter of a socket with
   * SNC4.
   *
   * @param cores by their first CPU; at least one
   * @param nodes numbers of the NUMA nodes that are local to them
   */
  public record CpuCluster(int socket, List<Core> cores, List<Integer> nodes)
      implements Serializable {
    public CpuCluster {
      cores = List.copyOf(cores);
      nodes = List.copyOf(nodes);
    }
  }

  /**
   * A core.
   *
   * @param cpus its hardware threads as the kernel numbers them, ascending; at least one
   * @param cache equal for cores that share a last-level cache
   */
  public record Core(List<Integer> cpus, int cache) implements Serializable {
    public Core {
      cpus = List.copyOf(cpus);
    }
  }

  /**
   * A NUMA node.
   *
   * @param number as the kernel counts
   * @param bytes its size
   * @param bandwidth of its nearest cluster, bytes a second as the firmware says; 0 if it does not
   * @param cacheBytes of the memory-side cache in front of it; 0 without
   */
  public record MemoryNode(int number, long bytes, Kind kind, long bandwidth, long cacheBytes)
      implements Serializable {}

  /** Kinds of memory. */
  public enum Kind {
    DRAM,
    HBM
  }

  /**
   * What of it is on these CPUs; memory stays as it is.
   *
   * @throws IllegalArgumentException if it has none of them
   */
  public Topology restrictedTo(List<Integer> cpus) {
    return new Topology(
        clusters.stream()
            .map(
                cluster ->
                    new CpuCluster(cluster.socket(), kept(cluster.cores(), cpus), cluster.nodes()))
            .filter(cluster -> !cluster.cores().isEmpty())
            .toList(),
        memory);
  }

  private static List<Core> kept(List<Core> cores, List<Integer> cpus) {
    return cores.stream()
        .map(core -> new Core(core.cpus().stream().filter(cpus::contains).toList(), core.cache()))
        .filter(core -> !core.cpus().isEmpty())
        .toList();
  }

  /** All CPUs, ascending. */
  public List<Integer> cpus() {
    return clusters.stream()
        .flatMap(cluster -> cluster.cores().stream())
        .flatMap(core -> core.cpus().stream())
        .sorted()
        .toList();
  }

  /** The node of this number. */
  public MemoryNode node(int number) {
    return memory.stream()
        .filter(node -> node.number() == number)
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("Invalid NUMA node: " + number + " (unknown)"));
  }
}
