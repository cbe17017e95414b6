package org.glmtuner.planning;

import org.glmtuner.topology.Topology;

/**
 * The hosts of a plan, which are alike.
 *
 * @param origin where the topology is from, for people
 * @param count of hosts
 */
public record HostPlan(Topology topology, String origin, int count) {

  /** Cores that ranks may use on a host. */
  int cores() {
    return topology.clusters().stream().mapToInt(cluster -> cluster.cores().size()).sum();
  }

  /** Whether the topology says of all its memory how fast it is. */
  public boolean saysBandwidth() {
    return topology.memory().stream().allMatch(node -> node.bandwidth() > 0);
  }

  long sockets() {
    return topology.clusters().stream().map(Topology.CpuCluster::socket).distinct().count();
  }
}
