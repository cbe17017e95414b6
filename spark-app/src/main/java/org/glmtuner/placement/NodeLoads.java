package org.glmtuner.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.glmtuner.placement.HostPlacement.NodeUse;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/** What a placement would put onto each NUMA node of a host. */
final class NodeLoads {
  /** Of a rank's executor and its share of the system, where the rank's memory is all there is. */
  static final long REST_OF_SYSTEM = 2L << 30;

  /** The kernel needs some of a node for itself and hands out the last pages badly. */
  private static final double USABLE = 0.95;

  /** Beyond it, most lines of a cache that has one place for each have a rival. */
  private static final double CACHE_SHARE = 0.5;

  private static final class Load {
    final MemoryNode node;
    long weights;
    long own;
    int ranks;

    Load(MemoryNode node) {
      this.node = node;
    }

    long usable() {
      return (long) (USABLE * node.bytes());
    }

    long used() {
      return weights + own;
    }
  }

  private final Map<Integer, Load> loads = new TreeMap<>();
  private final MemoryNeed need;
  private long spilt; // of the ranks' own memory, past the node that they prefer
  private boolean prefers;

  NodeLoads(List<MemoryNode> memory, MemoryNeed need) {
    this.need = need;
    memory.forEach(node -> loads.put(node.number(), new Load(node)));
  }

  /** Those of the nodes that have this kind of memory. */
  List<Integer> ofKind(List<Integer> nodes, Kind kind) {
    return nodes.stream().filter(node -> loads.get(node).node.kind() == kind).sorted().toList();
  }

  /** A copy whose pages these nodes take in turn. */
  void addWeights(List<Integer> nodes) {
    nodes.forEach(node -> loads.get(node).weights += need.weights() / nodes.size());
  }

  /** The node that a rank's own memory is to come from first. */
  int preferred(List<Integer> local, boolean prefersHbm) {
    List<Integer> hbm = prefersHbm ? ofKind(local, Kind.HBM) : List.of();
    return hbm.isEmpty() ? RankPlacement.NEAREST : hbm.get(0);
  }

  /**
   * What a rank has for itself: on the node that it prefers as far as there is room, the rest where
   * the kernel puts the memory of its CPUs.
   */
  void addOwn(List<Integer> local, boolean prefersHbm) {
    long left = need.rank();
    int preferred = preferred(local, prefersHbm);
    if (preferred != RankPlacement.NEAREST) {
      prefers = true;
      Load load = loads.get(preferred);
      long fits = Math.max(0, Math.min(left, load.usable() - load.used()));
      load.own += fits;
      left -= fits;
      spilt += left;
    }
    List<Integer> dram = ofKind(local, Kind.DRAM);
    List<Integer> home = dram.isEmpty() ? local : dram;
    for (int node : home) {
      loads.get(node).own += left / home.size();
      loads.get(node).ranks++;
    }
  }

  /**
   * The first node that lacks room.
   *
   * @param what is on the nodes, for the message
   * @param reserved bytes that each rank needs besides
   */
  Optional<String> overflow(String what, long reserved) {
    for (Load load : loads.values()) {
      long needed = load.used() + load.ranks * reserved;
      if (load.used() > 0 && needed > load.usable()) {
        return Optional.of(
            String.format(
                Locale.ROOT,
                "%s need %s of NUMA node %d%s, which has %s, %.0f %% of it usable",
                what,
                Bytes.gigabytes(needed),
                load.node.number(),
                reserved > 0
                    ? " with " + Bytes.gigabytes(reserved) + " a rank for the rest of the system"
                    : "",
                Bytes.gigabytes(load.node.bytes()),
                100 * USABLE));
      }
    }
    return Optional.empty();
  }

  /** The first node whose cache the weights would have to share with too much. */
  Optional<String> crowdedCache() {
    return loads.values().stream()
        .filter(load -> load.weights > 0 && load.node.cacheBytes() > 0)
        .filter(load -> load.used() > CACHE_SHARE * load.node.cacheBytes())
        .findFirst()
        .map(
            load ->
                String.format(
                    Locale.ROOT,
                    "weights and ranks, %s, would fill more than half of the cache of %s in front of NUMA node %d",
                    Bytes.gigabytes(load.used()),
                    Bytes.gigabytes(load.node.cacheBytes()),
                    load.node.number()));
  }

  /** Of a placement without obstacles: what there is room for. */
  String fitting() {
    String weights =
        "there is room for the weights, " + Bytes.gigabytes(need.weights()) + " a copy";
    String own = ", and the " + Bytes.gigabytes(need.rank()) + " that each rank has for itself";
    if (!prefers) {
      return weights + own;
    }
    return spilt == 0
        ? weights + own + ", in HBM"
        : weights
            + own
            + ", but for "
            + Bytes.gigabytes(spilt)
            + " of all ranks', which go to DRAM";
  }

  /** The nodes that have a part in it. */
  List<NodeUse> uses() {
    List<NodeUse> uses = new ArrayList<>();
    for (Load load : loads.values()) {
      if (load.used() > 0) {
        MemoryNode node = load.node;
        uses.add(new NodeUse(node.number(), node.kind(), node.bytes(), load.weights, load.own));
      }
    }
    return uses;
  }
}
