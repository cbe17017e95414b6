package org.glmtuner.planning;

import java.util.List;
import java.util.Locale;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/** How a host's firmware shows its HBM, if it has any. */
public enum HbmMode {
  NONE("there is no HBM"),
  FLAT(
      "HBM and DDR are NUMA nodes of their own: weights are put into HBM and read at its bandwidth, then what ranks have for themselves as far as there is room; executors and page cache have DDR"),
  HBM_ONLY(
      "there is no DDR: all is read at HBM's bandwidth, and weights, ranks, executors and page cache have to fit into it together"),
  CACHE(
      "HBM caches DDR by itself: nothing has to fit, nothing can be placed in it, and weights are read at between DDR's bandwidth, which a plan counts with, and HBM's");

  /** The modes that differ where there is HBM. */
  static final List<HbmMode> OF_HBM = List.of(FLAT, HBM_ONLY, CACHE);

  private final String explanation;

  HbmMode(String explanation) {
    this.explanation = explanation;
  }

  static HbmMode of(Topology topology) {
    boolean hbm = topology.memory().stream().anyMatch(node -> node.kind() == Kind.HBM);
    boolean dram = topology.memory().stream().anyMatch(node -> node.kind() == Kind.DRAM);
    if (hbm) {
      return dram ? FLAT : HBM_ONLY;
    }
    return topology.memory().stream().mapToLong(MemoryNode::cacheBytes).sum() > 0 ? CACHE : NONE;
  }

  /** A clause for people. */
  public String explanation() {
    return explanation;
  }

  /** For people and machines. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
