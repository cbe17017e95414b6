package org.glmtuner.planning;

import org.glmtuner.placement.RankPlacement;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;

/**
 * A rank of the plan.
 *
 * @param host from 0
 * @param placement of its weights and its own memory
 * @param memory bytes that it takes for itself
 */
public record RankSpot(int rank, int host, CpuGroup cpus, RankPlacement placement, long memory) {

  /**
   * The NUMA node that its own memory comes from first: by the kernel's choice one that has its
   * CPUs.
   */
  int memoryNode(Topology topology) {
    return placement.preferred() != RankPlacement.NEAREST
        ? placement.preferred()
        : home(topology, cpus);
  }

  /** The first node with CPUs among those of a group, if there is DRAM, and the first otherwise. */
  static int home(Topology topology, CpuGroup cpus) {
    return cpus.nodes().stream()
        .filter(number -> topology.node(number).kind() == Kind.DRAM)
        .findFirst()
        .orElse(cpus.nodes().get(0));
  }
}
