package org.glmtuner.planning;

import java.util.Locale;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/** How a host's firmware shows its HBM, if it has any. */
public enum HbmMode {
  NONE("there is no HBM"),
  FLAT(
      "HBM and DDR are NUMA nodes of their own, and what is put into HBM is read at its bandwidth;"
          + " weights go there, all else goes to DDR"),
  HBM_ONLY(
      "there is no DDR: all is read at HBM's bandwidth, but weights, ranks, executors and page cache"
          + " share what HBM holds"),
  CACHE(
      "HBM is a cache in front of DDR that programs cannot place anything in: nothing needs to fit,"
          + " weights are read at between DDR's and HBM's bandwidth, and the plan counts with DDR's");

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
