package org.glmtuner.planning;

import java.util.List;

/**
 * Where a rank of a host can be.
 *
 * @param socket of the CPUs
 * @param cluster place of the CPU cluster in the topology, from 0
 * @param cpus one hardware thread of each core
 * @param nodes numbers of the NUMA nodes that are local to them
 */
public record Seat(int socket, int cluster, List<Integer> cpus, List<Integer> nodes) {
  public Seat {
    cpus = List.copyOf(cpus);
    nodes = List.copyOf(nodes);
  }
}
