package org.glmtuner.planning;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.glmtuner.failure.TunerException;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Topology;

/** How fast the ranks of a host read their weights. */
final class WeightReading {
  private final HostRanks ranks;
  private final HostPlacement placement;
  private final Speeds speeds;

  WeightReading(HostRanks ranks, HostPlacement placement, Speeds speeds) {
    this.ranks = ranks;
    this.placement = placement;
    this.speeds = speeds;
  }

  /**
   * Bytes a second of the slowest rank: what it gets of a CPU cluster's, where that is known, and
   * otherwise the least of what the memory gives to each of its readers and what the rank's cores
   * take.
   *
   * @throws TunerException (exit code 2) where neither is known
   */
  Rate ofRank() {
    if (speeds.clusterReading().isPresent()) {
      return speeds.clusterReading().get().dividedBy(mostInACluster());
    }
    Optional<Rate> cores =
        speeds.coreReading().map(r -> new Rate(r.perSecond() * ranks.cores(), r.origin()));
    return Stream.of(ofMemory(), cores)
        .flatMap(Optional::stream)
        .min(Comparator.comparingDouble(Rate::perSecond))
        .orElseThrow(
            () ->
                TunerException.invalid(
                    "Invalid arguments: --memory-gb-s is missing (the topology does not say how fast its memory is)"));
  }

  /** Ranks whose CPUs have the same nodes beside them. */
  private int mostInACluster() {
    return ranks.groups().stream()
        .map(CpuGroup::nodes)
        .collect(Collectors.groupingBy(nodes -> nodes))
        .values()
        .stream()
        .mapToInt(List::size)
        .max()
        .orElseThrow();
  }

  private Optional<Rate> ofMemory() {
    double least =
        IntStream.range(0, ranks.count()).mapToDouble(this::memoryOf).min().orElseThrow();
    return least > 0
        ? Optional.of(new Rate(least, "what the topology says of the memory"))
        : Optional.empty();
  }

  /**
   * Each reader's part of the nodes' bandwidth; 0 where the topology does not say it. A mapped file
   * is on the nodes of whoever read it first, at worst on one.
   */
  private double memoryOf(int rank) {
    Topology topology = ranks.topology();
    RankPlacement own = placement.ranks().get(rank);
    CpuGroup cpus = ranks.groups().get(rank);
    List<Integer> nodes = own.copied() ? own.nodes() : List.of(RankSpot.home(topology, cpus));
    double bandwidth = nodes.stream().mapToDouble(n -> topology.node(n).bandwidth()).sum();
    long readers =
        placement.ranks().stream().filter(other -> other.nodes().equals(own.nodes())).count();
    return bandwidth / readers;
  }
}
