package org.glmtuner.executor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.glmtuner.config.MemoryConfig;
import org.glmtuner.config.MemoryConfig.Weights;
import org.glmtuner.executor.MicroBatchMemory.Budget;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.RankMemory;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.placement.HostPlacement.Mode;
import org.glmtuner.placement.MemoryNeed;
import org.glmtuner.placement.PlacementDecision;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.MemoryNode;

/**
 * Where a rank has its memory, and how many tokens it computes with at a time.
 *
 * @param host of all ranks beside it, this one included
 */
record MemoryPlan(HostPlacement host, RankPlacement rank, Budget budget) {

  /**
   * Ranks of a host that see each other's processes, and so can share copies.
   *
   * @param memory NUMA nodes of the host
   * @param self the index among the groups of the rank that is planned for
   */
  record Neighbours(List<MemoryNode> memory, List<CpuGroup> groups, int self) {
    /**
     * Of a rank whose neighbours start when they like: groups are taken in their order, so that
     * ranks of one job come to the same ones unless others have claimed some of these.
     *
     * @param ranks that there are in all
     * @param groups where ranks can be on this host
     * @param own that of the rank
     */
    static Neighbours atMost(
        int ranks, List<MemoryNode> memory, List<CpuGroup> groups, CpuGroup own) {
      List<CpuGroup> taken = new ArrayList<>(groups.subList(0, Math.min(ranks, groups.size())));
      if (!taken.contains(own)) {
        taken.set(taken.size() - 1, own);
      }
      return new Neighbours(memory, List.copyOf(taken), taken.indexOf(own));
    }
  }

  /**
   * For a rank that trains. All tasks of a host come to the same end.
   *
   * @param topology of this rank's host
   * @throws TunerException (exit code 3) where there is no room for the ranks, or not where the
   *     configuration wants it
   */
  static MemoryPlan training(
      RankPlan plan,
      int rank,
      Topology topology,
      MicroBatchMemory microBatches,
      MemoryConfig config) {
    String node = plan.ranks().get(rank).host().node();
    List<Integer> here = new ArrayList<>();
    List<CpuGroup> groups = new ArrayList<>();
    for (int other = 0; other < plan.worldSize(); other++) {
      RankPlan.Facts facts = plan.ranks().get(other);
      if (facts.host().node().equals(node)) {
        here.add(other);
        groups.add(facts.group());
      }
    }
    IntFunction<Object> once = other -> List.of();
    microBatches.training(plan, rank, once); // no placement needs less, and this says most
    return decide(
        new Neighbours(topology.memory(), groups, here.indexOf(rank)),
        microBatches.trainingNeed(),
        config,
        host -> {
          // Other hosts judge their own copies; that they have the base once is certain.
          IntFunction<Object> copies =
              other ->
                  here.contains(other) ? host.ranks().get(here.indexOf(other)).nodes() : List.of();
          return microBatches.training(plan, rank, copies);
        });
  }

  /**
   * For a rank that scores or completes prompts beside others, which start when they like.
   *
   * @param neighbours those that can be on this host at a time
   * @param sequences as {@link MicroBatchMemory#serving}
   * @throws TunerException (exit code 3) as {@link #training}
   */
  static MemoryPlan serving(
      Neighbours neighbours,
      List<MemoryLimit> limits,
      MicroBatchMemory microBatches,
      RankMemory.Sequences sequences,
      MemoryConfig config) {
    int ranks = neighbours.groups.size();
    microBatches.serving(limits, ranks, 1, sequences); // as in training
    return decide(
        neighbours,
        microBatches.servingNeed(sequences),
        config,
        host -> microBatches.serving(limits, ranks, host.copies(), sequences));
  }

  /**
   * Copies that nobody asked for by name give way where a limit other than the nodes' is in the
   * way.
   */
  private static MemoryPlan decide(
      Neighbours neighbours,
      MemoryNeed need,
      MemoryConfig config,
      Function<HostPlacement, Budget> budget) {
    HostPlacement host =
        PlacementDecision.decide(neighbours.memory, neighbours.groups, need, config);
    try {
      return new MemoryPlan(host, host.ranks().get(neighbours.self), budget.apply(host));
    } catch (TunerException e) {
      boolean free = config.weights() == Weights.AUTO && config.kind() == MemoryConfig.Kind.AUTO;
      if (!free || host.mode() == Mode.MAPPED) {
        throw e;
      }
      HostPlacement mapped =
          PlacementDecision.mapped(
              neighbours.memory,
              neighbours.groups,
              need,
              config,
              "there is no room for copies: " + e.getMessage());
      return new MemoryPlan(mapped, mapped.ranks().get(neighbours.self), budget.apply(mapped));
    }
  }

  /** For the log. */
  String describe() {
    return budget.tokens() + " tokens at a time, " + budget.reason() + "; " + host.describe();
  }
}
