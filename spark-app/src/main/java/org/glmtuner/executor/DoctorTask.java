package org.glmtuner.executor;

import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.glmtuner.diagnosis.ClockCheck;
import org.glmtuner.diagnosis.Diagnosis;
import org.glmtuner.diagnosis.Finding;
import org.glmtuner.diagnosis.Findings;
import org.glmtuner.diagnosis.RankChecks;
import org.glmtuner.executor.RankHost.Purpose;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.TrainAssignment;

/**
 * A task of the barrier stage that checks a cluster: its host, if it is the first there, a rank of
 * its own, and a sum over all ranks. What does not work is a finding: all tasks meet at each
 * barrier whatever happens to their ranks. Findings are sent as they come, so that a lost executor
 * loses none but its own.
 */
public final class DoctorTask implements FlatMapFunction<Iterator<Integer>, String>, Serializable {
  private static final long serialVersionUID = 1L;

  /** Of the clock, and of each answer of a rank. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private static final String NONE = "";

  private final DoctorPlan plan;

  public DoctorTask(DoctorPlan plan) {
    this.plan = plan;
  }

  /** Returns nothing: the driver gets {@link TaskMessage.Found}. */
  @Override
  public Iterator<String> call(Iterator<Integer> none) throws Exception {
    BarrierTaskContext context = BarrierTaskContext.get();
    HostIdentity identity = HostIdentity.read();
    TaskSignal signal = TaskSignal.of(context);
    Findings findings =
        new Findings(identity.name() + "/" + SparkEnv.get().executorId(), signal::check);
    Run run = new Run(context, identity, findings, signal);
    run.host();
    run.rates();
    run.send();
    run.sums();
    run.send();
    run.provider();
    run.send();
    return Collections.emptyIterator();
  }

  /** One execution of the task. */
  private final class Run {
    private final BarrierTaskContext context;
    private final int partition;
    private final HostIdentity identity;
    private final Findings findings;
    private final TaskSignal signal;
    private final HostCheckup host;
    private int sent;
    private boolean first;
    private boolean mpi;
    private boolean started;
    private String transport = NONE;

    Run(BarrierTaskContext context, HostIdentity identity, Findings findings, TaskSignal signal) {
      this.context = context;
      this.partition = context.partitionId();
      this.identity = identity;
      this.findings = findings;
      this.signal = signal;
      this.host = new HostCheckup(plan, findings);
    }

    void send() throws IOException {
      List<Finding> all = findings.list();
      List<String> lines = new Diagnosis(all.subList(sent, all.size())).json();
      sent = all.size();
      DriverLink.ask(new TaskMessage.Found(plan.attempt(), partition, lines));
    }

    /** What is the same for all ranks that share a host is said once. */
    void host() throws IOException, InterruptedException {
      List<String> nodes = List.of(context.allGather(identity.node()));
      int leader = nodes.indexOf(identity.node());
      first = leader == partition;
      boolean usable = false;
      if (first) {
        host.run();
        host.topology();
        usable = host.mpi();
        List<String> planned = nodes.subList(0, plannedRanks(nodes.size()));
        host.sharedMemory(Math.max(1, Collections.frequency(planned, identity.node())));
        findings.attempt("clock", LIMIT, "", this::clock);
      }
      send();
      // Ranks start when all hosts have been looked at, and need not wait for one that hangs.
      mpi = Boolean.parseBoolean(context.allGather(Boolean.toString(usable))[leader]);
    }

    private int plannedRanks(int tasks) {
      return plan.ranks() > 0 ? Math.min(plan.ranks(), tasks) : tasks;
    }

    private void clock() throws IOException {
      long before = System.currentTimeMillis();
      long driver = (Long) DriverLink.ask(new TaskMessage.Clock(plan.attempt()));
      long after = System.currentTimeMillis();
      double seconds = ((before + after) / 2.0 - driver) / 1e3;
      ClockCheck.judge(findings, seconds, (after - before) / 2e3);
    }

    /** All ranks measure at once, as they compute at once in a run. */
    void rates() {
      try (CheckedRank rank = start(Purpose.SERVER)) {
        started = rank != null;
        Frame.Ready ready = rank == null ? null : load(rank);
        context.barrier();
        if (ready != null) {
          measure(rank, ready);
        }
      } catch (IOException e) {
        found("rank", e);
      }
    }

    /** Null where there can be none, which is said then. */
    private CheckedRank start(Purpose purpose) {
      try {
        return CheckedRank.open(plan, purpose, signal, LIMIT);
      } catch (Exception e) {
        found("rank", e);
        return null;
      }
    }

    private Frame.Ready load(CheckedRank rank) {
      try {
        int threads = rank.host().claim().group().threads();
        Frame.Ready ready =
            (Frame.Ready)
                rank.ask(
                    new Frame.Calibrate(threads, plan.config().engine().isa()),
                    "load the rank's libraries");
        Binding.Readback readback = rank.host().readBack(ready);
        RankChecks.binding(findings, readback.asPlanned(), readback.text());
        return ready;
      } catch (Exception e) {
        found("rank", e);
        return null;
      }
    }

    private void measure(CheckedRank rank, Frame.Ready ready) {
      try {
        Frame.Calibrated measured =
            (Frame.Calibrated)
                rank.ask(
                    new Frame.MeasureRates(DoctorPlan.RATE_SECONDS), "measure products and memory");
        RankChecks.kernels(findings, ready.kernels(), measured.refusals());
        RankChecks.rates(
            findings,
            rank.host().claim().group().threads(),
            measured.operationsPerSecond(),
            measured.bytesPerSecond(),
            false);
        rank.finish();
      } catch (Exception e) {
        found("rates", e);
      }
    }

    /** Where the host has no MPI library, or no rank could start, the reason has been said. */
    void sums() {
      try (CheckedRank rank = mpi && started ? start(Purpose.MEMBER) : null) {
        List<String> all = List.of(context.allGather(rank == null ? NONE : facts(rank)));
        if (!all.contains(NONE)) {
          together(rank, all);
        } else if (partition == 0) {
          findings.skipped("all-reduce", "not all ranks could start");
        }
      } catch (IOException e) {
        found("all-reduce", e);
      }
    }

    private String facts(CheckedRank rank) {
      try {
        return new RankPlan.Facts(
                partition, identity, rank.host().claim().group(), FreeMemory.limits())
            .encode();
      } catch (Exception e) {
        found("memory", e);
        return NONE;
      }
    }

    private void together(CheckedRank rank, List<String> all) {
      try {
        if (first) {
          memory(all);
        }
        RankPlan ranks = RankPlan.of(all.toArray(String[]::new));
        if (ranks.worldSize() == 1) {
          findings.skipped("all-reduce", "there is one rank");
        } else {
          sum(rank, ranks);
        }
      } catch (Exception e) {
        found("all-reduce", e);
      }
    }

    /** Of as many ranks as a run would have, with one on this host. */
    private void memory(List<String> all) throws InterruptedException {
      int count = plannedRanks(all.size());
      List<String> planned = new ArrayList<>(all.subList(0, count));
      planned.set(Math.min(partition, count - 1), all.get(partition));
      RankPlan ranks = RankPlan.of(planned.toArray(String[]::new));
      host.memory(ranks, ranks.rankOfPartition(partition));
    }

    private void sum(CheckedRank rank, RankPlan ranks) throws IOException, InterruptedException {
      int own = ranks.rankOfPartition(partition);
      PmiServer server =
          new PmiServer(
              ranks.group(plan.attempt()),
              new DriverKeyExchange(plan.attempt(), own, ranks.worldSize()));
      try (PmiService pmi = PmiService.start(server, own, rank.host())) {
        rank.ask(
            new Frame.MeasureSums(
                new TrainAssignment.Membership(
                    own, ranks.worldSize(), rank.host().mpiLibrary(), pmi.socket().toString()),
                DoctorPlan.GRADIENT,
                DoctorPlan.ROUNDS),
            "join the other ranks by MPI");
        Frame.SumsMeasured measured =
            (Frame.SumsMeasured) rank.next("sum a gradient over all ranks");
        transport = transport(rank);
        if (own == 0) {
          say(measured, ranks);
        }
        rank.finish();
      }
    }

    private void say(Frame.SumsMeasured measured, RankPlan ranks) {
      long hosts = ranks.ranks().stream().map(facts -> facts.host().node()).distinct().count();
      double[] few = measured.few();
      Arrays.sort(few);
      RankChecks.sums(
          findings,
          ranks.worldSize() + " ranks on " + hosts + (hosts == 1 ? " host" : " hosts"),
          SumTimes.bytes(DoctorPlan.GRADIENT),
          Arrays.stream(measured.gradient()).min().orElseThrow(),
          few[few.length / 2]);
    }

    /** What joins the ranks, seen by each task of its own one. */
    void provider() {
      List<String> all = List.of(context.allGather(transport));
      if (partition == 0 && !all.contains(NONE)) {
        RankTransport.report(findings, all.stream().map(RankTransport::decode).toList());
      }
    }

    private String transport(CheckedRank rank) {
      try {
        return RankTransport.of(rank.host().session().pid(), identity.node()).encode();
      } catch (IOException e) {
        findings.skipped("provider", RankTransport.unseen(e));
        return NONE;
      }
    }

    /** Not where the task is to end: then nobody asks any more. */
    private void found(String check, Exception failure) {
      if (failure instanceof InterruptedException || failure instanceof AttemptOverException) {
        throw new AttemptOverException("the check was cancelled");
      }
      findings.failed(
          check,
          failure,
          "see the executor's log; between hosts, look at mpi.library and at what the network lets through");
    }
  }
}
