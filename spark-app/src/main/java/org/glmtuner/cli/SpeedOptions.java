package org.glmtuner.cli;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.driver.Cancellation;
import org.glmtuner.executor.Calibration;
import org.glmtuner.executor.Calibration.Rates;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.planning.HostPlan;
import org.glmtuner.planning.Speeds;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import picocli.CommandLine.Option;

/** How fast the planned hosts are: given, or measured here. */
final class SpeedOptions {
  private static final double GIGA = 1e9;

  /** Of a rate that is given, in units of 1e9 a second: what no typing error is beyond. */
  private static final double LEAST = 1e-6;

  private static final double MOST = 1e9;

  /** Of a measurement; there are two. */
  private static final double SECONDS = 1;

  private static final String GIVEN = "given";

  @Option(
      names = "--gflops-per-core",
      paramLabel = "GFLOP/S",
      description = {
        "What a core does in matrix products with BF16 weights, two operations for each multiplication and addition.",
        "Without it, ranks are started here for some seconds and measured."
      })
  private Double products;

  @Option(
      names = "--memory-gb-s",
      paramLabel = "GB/S",
      description = {
        "What the cores of a CPU cluster read together from where their weights are.",
        "Without it, what the topology says of the memory, or what ranks were measured to read where that is less."
      })
  private Double reading;

  @Option(
      names = "--network-gb-s",
      paramLabel = "GB/S",
      description = "What a host sends while it receives as much; without it, 1.25 (10 Gbit/s).")
  private Double network;

  /**
   * What ranks of so many cores did, each core with one thread or with all that it has.
   *
   * @param cores of each rank
   */
  record Measured(Calibration ranks, int cores) {
    double perCore(ToDoubleFunction<Rates> rate) {
      return ranks.together().stream().mapToDouble(rate).average().orElseThrow() / cores;
    }
  }

  /**
   * Measures what is not given.
   *
   * @param live whether the plan is for hosts like this one
   * @param cancellation ends the measurement
   * @throws TunerException (exit code 8) where other ranks keep the cores that are to be measured
   */
  Speeds speeds(TunerConfig config, HostPlan host, boolean live, Cancellation cancellation)
      throws IOException, InterruptedException {
    Optional<Rate> link = rate("--network-gb-s", network);
    Optional<Rate> cluster = rate("--memory-gb-s", reading);
    Optional<Rate> given = rate("--gflops-per-core", products);
    boolean known = cluster.isPresent() || host.saysBandwidth();
    if (given.isPresent() && known) {
      return speeds(given.get(), Optional.empty(), cluster, link);
    }
    Measured measured;
    try {
      measured = measure(config, live ? host.count() : 0, cancellation);
    } catch (TunerException e) {
      if (e.exitCode() != ExitCode.NO_FREE_SLOTS) {
        throw e;
      }
      throw new TunerException(
          ExitCode.NO_FREE_SLOTS,
          e.getMessage()
              + "; with "
              + (given.isEmpty() ? "--gflops-per-core" : "")
              + (given.isEmpty() && !known ? " and " : "")
              + (known ? "" : "--memory-gb-s")
              + " nothing is measured",
          e);
    }
    String origin = "measured on this host" + (live ? "" : ", which is not one of these");
    return speeds(
        given.orElse(new Rate(measured.perCore(Rates::operationsPerSecond), origin)),
        Optional.of(new Rate(measured.perCore(Rates::bytesPerSecond), origin)),
        cluster,
        link);
  }

  /**
   * Measures all ranks that this host would have at once.
   *
   * @param hosts of the plan; 0 where it is for others, so that this one has a rank for each of its
   *     CPU clusters
   */
  private static Measured measure(TunerConfig config, int hosts, Cancellation cancellation)
      throws IOException, InterruptedException {
    RanksConfig ranks = hosts > 0 ? config.ranks() : ConfigLoader.load("", "", Map.of()).ranks();
    int asked = hosts > 0 ? (ranks.count() + hosts - 1) / hosts : 0;
    Topology host = HostTopology.read(config.cache().path());
    RankGroups groups = RankGroups.of(host, ranks, asked);
    int count = asked > 0 ? asked : groups.groups().size();
    System.err.println(
        "measuring products and memory of " + count + " ranks of " + groups.cores() + " cores");
    return new Measured(
        Calibration.measure(config, host, count, groups.cores(), SECONDS, cancellation),
        groups.cores());
  }

  private static Speeds speeds(
      Rate products, Optional<Rate> core, Optional<Rate> cluster, Optional<Rate> link) {
    return new Speeds(
        products, core, cluster, Speeds.SHARED_MEMORY, link.orElse(Speeds.TEN_GIGABIT));
  }

  private static Optional<Rate> rate(String option, Double giga) {
    if (giga != null && !(giga >= LEAST && giga <= MOST)) {
      throw TunerException.invalid("Invalid " + option + ": " + giga + " (1e-6 to 1e9)");
    }
    return Optional.ofNullable(giga).map(given -> new Rate(given * GIGA, GIVEN));
  }
}
