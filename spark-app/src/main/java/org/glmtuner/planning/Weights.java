package org.glmtuner.planning;

import java.util.List;

/**
 * Where the weights of a host are.
 *
 * @param mode how ranks share them: {@code shared}, {@code per-cluster}, …
 * @param kind of the memory: {@code hbm} or {@code dram}
 * @param copies at least one
 * @param reason a clause, for people
 */
public record Weights(String mode, String kind, List<Copy> copies, String reason) {
  public Weights {
    copies = List.copyOf(copies);
  }

  /**
   * A copy.
   *
   * @param bytes of it
   * @param nodes that it is on; none for page cache, which is where it happens to be
   * @param mapped whether its ranks map one file, rather than having it in anonymous memory
   * @param clusters whose ranks read it, by their place in the topology
   */
  public record Copy(long bytes, List<Integer> nodes, boolean mapped, List<Integer> clusters) {
    public Copy {
      nodes = List.copyOf(nodes);
      clusters = List.copyOf(clusters);
    }
  }

  /** Of all copies of a host. */
  public long bytes() {
    return copies.stream().mapToLong(Copy::bytes).sum();
  }

  /** The nodes that copies are on. */
  List<Integer> nodes() {
    return copies.stream().flatMap(copy -> copy.nodes().stream()).distinct().sorted().toList();
  }

  /** The copy that ranks of a cluster read. */
  Copy of(int cluster) {
    return copies.stream()
        .filter(copy -> copy.clusters().contains(cluster))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("No weights for CPU cluster " + cluster));
  }
}
