package org.glmtuner.driver;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    return byCpus().values().stream()
        .mapToInt(
            sharing -> {
              Topology host = sharing.get(0).topology();
              double time = sharing.stream().mapToDouble(e -> ranksInTime(e, cores)).sum();
              return (int) Math.min(RankGroups.ofCores(host, ranks, cores).groups().size(), time);
            })
        .sum();
  }

  /** An executor with less time than one rank needs may have one all the same, which is slow. */
  private static double ranksInTime(ExecutorFacts executor, int cores) {
    return Math.max(1, Math.floor(executor.cpuTime() / cores));
  }

  /**
   * The cores that a rank has on every host where none is told: those of a CPU cluster, or as many
   * as an executor has CPU time for.
   */
  int coresOfCluster() {
    return executors.stream()
        .mapToInt(
            executor ->
                (int)
                    Math.min(
                        RankGroups.of(executor.topology(), ranks, 0).cores(),
                        Math.max(1, Math.floor(executor.cpuTime()))))
        .min()
        .orElse(1);
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
