package org.glmtuner.executor;

import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.glmtuner.diagnosis.ClockCheck;
import org.glmtuner.diagnosis.Diagnosis;
import org.glmtuner.diagnosis.Findings;
import org.glmtuner.diagnosis.RankChecks;
import org.glmtuner.executor.RankHost.Purpose;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.TrainAssignment;

/**
 * A task of the barrier stage that checks a cluster: its host, if it is the first there, a rank of
 * its own, and a sum over all ranks. What does not work is a finding: all tasks meet at each
 * barrier whatever happens to their ranks.
 */
public final class DoctorTask implements FlatMapFunction<Iterator<Integer>, String>, Serializable {
  private static final long serialVersionUID = 1L;
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final String NONE = "";

  private final DoctorPlan plan;

  public DoctorTask(DoctorPlan plan) {
    this.plan = plan;
  }

  /** Each finding as a line of JSON. */
  @Override
  public Iterator<String> call(Iterator<Integer> none) throws Exception {
    BarrierTaskContext context = BarrierTaskContext.get();
    HostIdentity identity = HostIdentity.read();
    Findings findings = new Findings(identity.name() + "/" + SparkEnv.get().executorId());
    Run run = new Run(context, identity, findings, TaskSignal.of(context));
    run.host();
    run.rates();
    run.sums();
    run.provider();
    return new Diagnosis(findings.list()).json().iterator();
  }

  /** One execution of the task. */
  private final class Run {
    private final BarrierTaskContext context;
    private final HostIdentity identity;
    private final Findings findings;
    private final TaskSignal signal;
    private final HostCheckup host;
    private boolean first;
    private boolean mpi = true;
    private String transport = NONE;

    Run(BarrierTaskContext context, HostIdentity identity, Findings findings, TaskSignal signal) {
      this.context = context;
      this.identity = identity;
      this.findings = findings;
      this.signal = signal;
      this.host = new HostCheckup(plan, findings);
    }

    /** What is the same for all ranks that share a host is said once. */
    void host() throws InterruptedException {
      String[] nodes = context.allGather(identity.node());
      first = Arrays.asList(nodes).indexOf(identity.node()) == context.partitionId();
      if (first) {
        host.run();
        host.topology();
        mpi = host.mpi();
        host.sharedMemory((int) Arrays.stream(nodes).filter(identity.node()::equals).count());
        findings.attempt("clock", LIMIT, "", this::clock);
      }
    }

    private void clock() throws IOException {
      long before = System.currentTimeMillis();
      long driver = (Long) DriverLink.ask(new TaskMessage.Clock(plan.attempt()));
      long after = System.currentTimeMillis();
      double seconds = ((before + after) / 2.0 - driver) / 1e3;
      ClockCheck.judge(findings, seconds, (after - before) / 2e3);
    }

    /** All ranks measure at once, as they compute at once in a run. */
    void rates() throws IOException {
      CheckedRank rank = null;
      Frame.Ready ready = null;
      try {
        rank = CheckedRank.open(plan, Purpose.SERVER, signal, LIMIT);
        int threads = rank.host().claim().group().threads();
        ready = (Frame.Ready) rank.ask(new Frame.Calibrate(threads, plan.config().engine().isa()));
        Binding.Readback readback = rank.host().readBack(ready);
        RankChecks.binding(findings, readback.asPlanned(), readback.text());
      } catch (Exception e) {
        found("rank", e);
      }
      context.barrier();
      try (CheckedRank open = rank) {
        if (ready != null) {
          measure(open, ready);
        }
      } catch (Exception e) {
        found("rates", e);
      }
    }

    private void measure(CheckedRank rank, Frame.Ready ready) throws InterruptedException {
      Frame.Calibrated measured =
          (Frame.Calibrated) rank.ask(new Frame.MeasureRates(DoctorPlan.RATE_SECONDS));
      RankChecks.kernels(findings, ready.kernels(), measured.refusals());
      RankChecks.rates(
          findings,
          rank.host().claim().group().threads(),
          measured.operationsPerSecond(),
          measured.bytesPerSecond(),
          false);
      rank.finish();
    }

    void sums() throws IOException {
      String facts = NONE;
      CheckedRank rank = null;
      try {
        rank = CheckedRank.open(plan, Purpose.MEMBER, signal, LIMIT);
        facts =
            new RankPlan.Facts(
                    context.partitionId(),
                    identity,
                    rank.host().claim().group(),
                    FreeMemory.limits())
                .encode();
      } catch (Exception e) {
        if (mpi) { // otherwise it has been said
          found("rank", e);
        }
      }
      String[] all = context.allGather(facts);
      try (CheckedRank open = rank) {
        if (Arrays.asList(all).contains(NONE)) {
          findings.skipped("all-reduce", "not all ranks could start");
        } else {
          together(open, RankPlan.of(all));
        }
      } catch (Exception e) {
        found("all-reduce", e);
      }
    }

    private void together(CheckedRank rank, RankPlan ranks)
        throws IOException, InterruptedException {
      int own = ranks.rankOfPartition(context.partitionId());
      if (first) {
        host.memory(ranks, own);
      }
      if (ranks.worldSize() == 1) {
        findings.skipped("all-reduce", "there is one rank");
        return;
      }
      PmiServer server =
          new PmiServer(
              ranks.group(plan.attempt()),
              new DriverKeyExchange(plan.attempt(), own, ranks.worldSize()));
      try (PmiService pmi = PmiService.start(server, own, rank.host())) {
        rank.ask( // until it has joined
            new Frame.MeasureSums(
                new TrainAssignment.Membership(
                    own, ranks.worldSize(), rank.host().mpiLibrary(), pmi.socket().toString()),
                DoctorPlan.GRADIENT,
                DoctorPlan.ROUNDS));
        Frame.SumsMeasured measured = (Frame.SumsMeasured) rank.next();
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
      if (context.partitionId() == 0 && !all.contains(NONE)) {
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
