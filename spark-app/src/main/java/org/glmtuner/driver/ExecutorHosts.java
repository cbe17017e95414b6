package org.glmtuner.driver;

import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.executor.ExecutorFacts;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuList;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;

/** What the executors that have come can hold of ranks. */
record ExecutorHosts(List<ExecutorFacts> executors, RanksConfig ranks) {

  /**
   * Of all executors.
   *
   * @throws TunerException (exit code 3) where one could not read its topology
   */
  static ExecutorHosts of(Collection<ExecutorFacts> executors, RanksConfig ranks) {
    for (ExecutorFacts facts : executors) {
      if (!facts.problem().isEmpty()) {
        throw new TunerException(
            ExitCode.UNSUITABLE,
            "Cannot use executor " + facts.executor() + ": " + facts.problem());
      }
    }
    return new ExecutorHosts(List.copyOf(executors), ranks);
  }

  /**
   * Groups of {@code cores} on all hosts. Executors that may use the same CPUs share their groups;
   * each has CPU time for some.
   */
  int groups(int cores) {
    return groups(cores, host -> RankGroups.ofCores(host, ranks, cores));
  }

  private int groups(int cores, Function<Topology, RankGroups> ofHost) {
    return byCpus().values().stream()
        .mapToInt(
            sharing -> {
              double time = sharing.stream().mapToDouble(e -> ranksInTime(e, cores)).sum();
              int found = ofHost.apply(sharing.get(0).topology()).groups().size();
              return (int) Math.min(found, time);
            })
        .sum();
  }

  /** An executor with less time than one rank needs may have one all the same, which is slow. */
  private static double ranksInTime(ExecutorFacts executor, int cores) {
    return Math.max(1, Math.floor(executor.cpuTime() / cores));
  }

  /**
   * The cores that a rank has on every host where none is told: those of a CPU cluster, or as many
   * as each executor has CPU time for. Where clusters differ, the number with which ranks have the
   * most cores, one rank in each cluster that is large enough.
   */
  int coresOfCluster() {
    Comparator<Integer> taken =
        Comparator.comparingInt(
            cores -> cores * groups(cores, host -> RankGroups.inEachCluster(host, ranks, cores)));
    int cluster =
        executors.stream()
            .map(executor -> RankGroups.of(executor.topology(), ranks, 0).cores())
            .max(taken.thenComparing(Comparator.reverseOrder()))
            .orElse(1);
    double time = executors.stream().mapToDouble(ExecutorFacts::cpuTime).min().orElse(1);
    return (int) Math.min(cluster, Math.max(1, Math.floor(time)));
  }

  /** For people: that CPU clusters are too small for ranks of so many cores; nothing if none is. */
  Optional<String> tooSmall(int cores) {
    return executors.stream()
        .flatMap(executor -> RankGroups.tooSmall(executor.topology(), ranks, cores).stream())
        .findFirst();
  }

  /** The most hardware threads that a core of theirs has. */
  int threadsOfCore() {
    return executors.stream().mapToInt(e -> threadsOfCore(e.topology())).max().orElse(1);
  }

  /** The same of one host. */
  static int threadsOfCore(Topology host) {
    return host.clusters().stream()
        .flatMap(cluster -> cluster.cores().stream())
        .mapToInt(core -> core.cpus().size())
        .max()
        .orElse(1);
  }

  /** For messages. */
  String describe() {
    return executors.isEmpty()
        ? "no executor is there"
        : executors.stream()
            .map(executor -> RankGroups.describe(executor.topology(), ranks))
            .distinct()
            .collect(Collectors.joining("; "));
  }

  private Map<String, List<ExecutorFacts>> byCpus() {
    return executors.stream()
        .collect(
            Collectors.groupingBy(
                executor -> executor.node() + " " + CpuList.format(executor.topology().cpus()),
                LinkedHashMap::new,
                Collectors.toList()));
  }
}
