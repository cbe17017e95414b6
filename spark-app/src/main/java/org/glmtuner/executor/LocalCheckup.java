package org.glmtuner.executor;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.glmtuner.diagnosis.Finding;
import org.glmtuner.diagnosis.Findings;
import org.glmtuner.diagnosis.RankChecks;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.Frame;

/** Checks this machine with ranks of its own, without Spark. */
public final class LocalCheckup {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int PAIR = 2;
  private static final int MEDIAN = DoctorPlan.ROUNDS / 2;

  private final DoctorPlan plan;
  private final TaskSignal signal;
  private final HostIdentity identity;
  private final Findings findings;
  private final HostCheckup host;

  private LocalCheckup(DoctorPlan plan, TaskSignal signal) throws IOException {
    this.plan = plan;
    this.signal = signal;
    this.identity = HostIdentity.read();
    this.findings = new Findings(identity.name(), signal::check);
    this.host = new HostCheckup(plan, findings);
  }

  /**
   * All findings; ends within some minutes whatever hangs.
   *
   * @param signal ends it within some seconds, by what its check throws
   */
  public static List<Finding> run(DoctorPlan plan, TaskSignal signal)
      throws IOException, InterruptedException {
    LocalCheckup checkup = new LocalCheckup(plan, signal);
    checkup.host.run();
    Optional<Topology> topology = checkup.host.topology();
    if (topology.isPresent()) {
      checkup.ranks(topology.get());
    }
    return checkup.findings.list();
  }

  private void ranks(Topology topology) throws IOException, InterruptedException {
    Optional<RankGroups> placed =
        findings.value(
            "ranks",
            LIMIT,
            "",
            Optional.empty(),
            () ->
                Optional.of(
                    RankGroups.of(topology, plan.config().ranks(), plan.config().ranks().count())));
    if (placed.isEmpty()) {
      return;
    }
    RankGroups groups = placed.get();
    int configured = plan.config().ranks().count();
    int count = configured > 0 ? configured : groups.groups().size();
    host.sharedMemory(count);
    host.memory(plan(groups, count), 0);
    findings.attempt(
        "rates",
        LIMIT,
        "see the log of the rank above",
        () -> rates(topology, count, groups.cores()));
    if (host.mpi()) {
      findings.attempt(
          "all-reduce",
          LIMIT,
          "look at mpi.environment and the presets of the library",
          () -> sums(topology));
    } else {
      findings.skipped("all-reduce", "there is no MPI library that ranks can use");
    }
  }

  /** What the ranks would tell each other. */
  private RankPlan plan(RankGroups groups, int count) throws IOException {
    List<RankPlan.Facts> facts = new ArrayList<>();
    for (CpuGroup group : groups.groups().subList(0, count)) {
      facts.add(new RankPlan.Facts(facts.size(), identity, group, FreeMemory.limits()));
    }
    return new RankPlan(facts);
  }

  private void rates(Topology topology, int count, int cores)
      throws IOException, InterruptedException {
    try (LocalRanks ranks = LocalRanks.openAlone(plan.config(), topology, count, cores, signal)) {
      List<Frame.Ready> ready = Calibration.start(ranks, plan.config());
      for (int rank = 0; rank < count; rank++) {
        Binding.Readback readback = ranks.readBack(rank, ready.get(rank));
        RankChecks.binding(findings, readback.asPlanned(), readback.text());
      }
      Calibration measured = Calibration.of(ranks, ready.get(0), DoctorPlan.RATE_SECONDS);
      ranks.finish();
      RankChecks.kernels(findings, measured.kernels(), measured.refusals());
      rates(measured.threads(), measured.alone(), true);
      if (count > 1) {
        measured.together().forEach(each -> rates(measured.threads(), each, false));
        RankChecks.balance(
            findings,
            measured.together().stream().map(Calibration.Rates::operationsPerSecond).toList());
      }
    }
  }

  private void rates(int threads, Calibration.Rates rates, boolean alone) {
    RankChecks.rates(findings, threads, rates.operationsPerSecond(), rates.bytesPerSecond(), alone);
  }

  /** Two ranks, on two CPU clusters where there are two. */
  private void sums(Topology topology) throws IOException, InterruptedException {
    RankGroups groups;
    try {
      groups = RankGroups.of(topology, plan.config().ranks().withCores(0), PAIR);
    } catch (TunerException e) {
      findings.skipped("all-reduce", e.getMessage());
      return;
    }
    try (LocalRanks ranks =
        LocalRanks.open(plan.config(), topology, PAIR, groups.cores(), signal)) {
      SumTimes times = SumTimes.measure(ranks, DoctorPlan.GRADIENT, DoctorPlan.ROUNDS);
      List<RankTransport> transports = transports(ranks);
      ranks.finish();
      RankChecks.sums(
          findings,
          PAIR + " ranks on this host",
          times.bytes(),
          times.gradient()[0],
          times.few()[MEDIAN]);
      RankTransport.report(findings, transports);
    }
  }

  private List<RankTransport> transports(LocalRanks ranks) {
    try {
      return ranks.transports();
    } catch (IOException e) {
      findings.skipped("provider", RankTransport.unseen(e));
      return List.of();
    }
  }
}
