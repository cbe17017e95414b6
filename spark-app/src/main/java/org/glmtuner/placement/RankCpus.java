package org.glmtuner.placement;

import java.io.Serializable;
import java.util.List;

/**
 * The CPUs of a rank, as far as its memory depends on them.
 *
 * @param nodes numbers of the NUMA nodes that are local to them, HBM and DRAM; those of all its
 *     clusters for a rank that spans several
 */
public record RankCpus(int socket, List<Integer> cpus, List<Integer> nodes)
    implements Serializable {
  public RankCpus {
    cpus = List.copyOf(cpus);
    nodes = List.copyOf(nodes);
  }
}
