package org.glmtuner.planning;

import java.util.List;
import org.glmtuner.topology.Topology;

/**
 * The hosts of a plan, which are alike.
 *
 * @param origin where the topology is from, for people
 * @param seats of a host, in the order in which ranks take them
 * @param count of hosts
 */
public record HostPlan(Topology topology, String origin, List<Seat> seats, int count) {
  public HostPlan {
    seats = List.copyOf(seats);
  }

  /** Cores that ranks may use. */
  int cores() {
    return topology.clusters().stream().mapToInt(cluster -> cluster.cores().size()).sum();
  }
}
