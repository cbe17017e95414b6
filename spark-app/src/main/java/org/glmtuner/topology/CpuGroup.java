package org.glmtuner.topology;

import java.io.Serializable;
import java.util.List;

/**
 * The cores of one rank.
 *
 * @param socket of the first of them
 * @param cpus that the rank is pinned to, a thread on each, ascending
 * @param claimed all hardware threads of those cores, ascending: no other rank may be on them
 * @param nodes numbers of the NUMA nodes that are local to them, ascending
 */
public record CpuGroup(int socket, List<Integer> cpus, List<Integer> claimed, List<Integer> nodes)
    implements Serializable {
  public CpuGroup {
    cpus = List.copyOf(cpus);
    claimed = List.copyOf(claimed);
    nodes = List.copyOf(nodes);
    if (cpus.isEmpty() || !claimed.containsAll(cpus)) {
      throw new IllegalArgumentException(
          "Invalid group of CPUs: " + cpus + " (some, and all of them among " + claimed + ")");
    }
  }

  /** Threads that compute in the rank. */
  public int threads() {
    return cpus.size();
  }

  /** For people: CPUs and where their memory is. */
  @Override
  public String toString() {
    return "CPUs "
        + CpuList.format(cpus)
        + ", NUMA "
        + (nodes.size() == 1 ? "node " : "nodes ")
        + CpuList.format(nodes);
  }
}
