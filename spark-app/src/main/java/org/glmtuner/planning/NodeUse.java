package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/**
 * What a NUMA node of the host with the most ranks holds.
 *
 * @param weights bytes of them
 * @param ranks bytes that ranks have for themselves, and the copy that checkpoints are written from
 */
public record NodeUse(MemoryNode node, long weights, long ranks) {
  /** Bytes that nobody takes; below 0 where they do not fit. */
  public long free() {
    return node.bytes() - weights - ranks;
  }

  /**
   * Of all nodes. A copy that is wherever the page cache happens to be is on none of them.
   *
   * @param checkpoint bytes that the first rank takes besides
   */
  static List<NodeUse> of(
      Topology topology, Weights weights, List<RankSpot> ranks, long checkpoint) {
    List<NodeUse> uses = new ArrayList<>();
    for (MemoryNode node : topology.memory()) {
      int number = node.number();
      long copies =
          weights.copies().stream()
              .filter(copy -> copy.nodes().contains(number))
              .mapToLong(copy -> copy.bytes() / copy.nodes().size())
              .sum();
      long own =
          ranks.stream()
              .filter(rank -> rank.memoryNode() == number)
              .mapToLong(rank -> rank.memory() + (rank.rank() == 0 ? checkpoint : 0))
              .sum();
      uses.add(new NodeUse(node, copies, own));
    }
    return List.copyOf(uses);
  }

  /** The node that a rank's own memory is on: the kernel takes the first with CPUs, if any. */
  static int ofRank(Topology topology, Seat seat) {
    return seat.nodes().stream()
        .filter(number -> topology.node(number).kind() == Kind.DRAM)
        .findFirst()
        .orElse(seat.nodes().get(0));
  }
}
