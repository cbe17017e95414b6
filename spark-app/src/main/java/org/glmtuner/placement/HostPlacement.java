package org.glmtuner.placement;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.glmtuner.topology.Topology.Kind;

/**
 * Where the ranks of a host have their weights and their own memory.
 *
 * @param kind of the memory that the weights are in
 * @param ranks in the order in which they were given
 * @param uses of the nodes that ranks use, by number
 * @param elsewhere bytes of the weights that the kernel puts onto nodes of its choice
 * @param reason a sentence without a full stop
 */
public record HostPlacement(
    Mode mode,
    Kind kind,
    List<RankPlacement> ranks,
    List<NodeUse> uses,
    long elsewhere,
    String reason)
    implements Serializable {

  /** How the weights are there. */
  public enum Mode {
    /** The weight file, mapped by all ranks of the host. */
    MAPPED("the mapped weight file"),
    /** A copy for the ranks of each socket, spread over its NUMA nodes. */
    PER_SOCKET("a copy for each socket"),
    /** A copy for the ranks of each NUMA node. */
    PER_NODE("a copy for each NUMA node");

    private final String title;

    Mode(String title) {
      this.title = title;
    }

    /** For people. */
    public String title() {
      return title;
    }

    /** For machines: {@code mapped}, {@code per-socket}, {@code per-node}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * What is planned on a NUMA node, in bytes.
   *
   * @param size of the node
   * @param own memory of ranks for themselves
   */
  public record NodeUse(int node, Kind kind, long size, long weights, long own)
      implements Serializable {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "node %d (%s, %s): %s of weights, %s of ranks' own",
          node,
          kind,
          Bytes.gigabytes(size),
          Bytes.gigabytes(weights),
          Bytes.gigabytes(own));
    }
  }

  public HostPlacement {
    ranks = List.copyOf(ranks);
    uses = List.copyOf(uses);
  }

  /** Copies of the weights on the host: 1 where the file is mapped. */
  public int copies() {
    return (int) ranks.stream().map(RankPlacement::nodes).distinct().count();
  }

  /** One line for the log. */
  public String describe() {
    return mode.title()
        + " in "
        + kind
        + ", because "
        + reason
        + "; "
        + uses.stream().map(NodeUse::toString).collect(Collectors.joining("; "))
        + (elsewhere > 0
            ? "; " + Bytes.gigabytes(elsewhere) + " of weights where the kernel reads them to"
            : "");
  }
}
