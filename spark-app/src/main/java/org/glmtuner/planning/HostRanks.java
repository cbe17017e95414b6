package org.glmtuner.planning;

import java.util.Comparator;
import java.util.List;
import org.glmtuner.config.MemoryConfig;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.placement.MemoryNeed;
import org.glmtuner.placement.PlacementDecision;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;

/**
 * The ranks of the host that has the most of them.
 *
 * @param groups their CPUs, by socket and CPU
 * @param cores of each
 * @param all of the run, over all hosts
 */
record HostRanks(Topology topology, List<CpuGroup> groups, int cores, int all) {
  HostRanks {
    groups = List.copyOf(groups);
  }

  /**
   * As the run would place them.
   *
   * @throws org.glmtuner.failure.TunerException (exit code 3) where there is no room for them
   */
  static HostRanks of(HostPlan host, RanksConfig config) {
    int asked = (config.count() + host.count() - 1) / host.count();
    RankGroups found = RankGroups.of(host.topology(), config, asked);
    List<CpuGroup> taken =
        found.groups().stream()
            .limit(asked > 0 ? asked : Long.MAX_VALUE)
            .sorted(
                Comparator.comparingInt(CpuGroup::socket)
                    .thenComparing(group -> group.cpus().get(0)))
            .toList();
    int all = config.count() > 0 ? config.count() : taken.size() * host.count();
    return new HostRanks(host.topology(), taken, found.cores(), all);
  }

  int count() {
    return groups.size();
  }

  /**
   * Where they have their memory.
   *
   * @throws org.glmtuner.failure.TunerException (exit code 3) where the host cannot do what is
   *     asked
   */
  HostPlacement place(MemoryNeed need, MemoryConfig config) {
    return PlacementDecision.decide(topology.memory(), groups, need, config);
  }

  /** The same where ranks have more than they were placed with. */
  HostPlacement grown(HostPlacement placement, MemoryNeed need, MemoryConfig config) {
    return PlacementDecision.grown(placement, topology.memory(), groups, need, config);
  }
}
