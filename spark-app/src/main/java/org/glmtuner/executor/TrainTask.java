package org.glmtuner.executor;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.TrainAssignment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/**
 * A task of the barrier stage: claims its cores, agrees with the others on where ranks have their
 * memory, forks a rank, feeds it, relays what it says, moves its files, and ends it whatever
 * happens.
 */
final class TrainTask
    implements FlatMapFunction<Iterator<Tuple2<RowKey, Sample>>, RankOutcome>, Serializable {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(TrainTask.class);

  /** Steps that a rank may have waiting, so that it never waits for the next one. */
  private static final int STEPS_AHEAD = 8;

  private static final long POLL_MILLIS = 50;
  private static final long REPORT_NANOS = 1_000_000_000L;

  private final AttemptPlan plan;

  TrainTask(AttemptPlan plan) {
    this.plan = plan;
  }

  @Override
  public Iterator<RankOutcome> call(Iterator<Tuple2<RowKey, Sample>> rows) throws Exception {
    BarrierTaskContext context = BarrierTaskContext.get();
    HostIdentity host = HostIdentity.read();
    TaskSignal signal = TaskSignal.of(context);
    Member[] self = {Member.of(context.partitionId(), host)};
    try {
      return List.of(run(context, rows, host, signal, self)).iterator();
    } catch (Throwable e) { // out of memory is to be reported too
      FailureReport.send(plan.attempt(), self[0], e, signal);
      throw e;
    }
  }

  private RankOutcome run(
      BarrierTaskContext context,
      Iterator<Tuple2<RowKey, Sample>> rows,
      HostIdentity identity,
      TaskSignal signal,
      Member[] self)
      throws Exception {
    Topology topology = HostTopology.read(plan.config().cache().path());
    try (RankHost host =
        RankHost.prepare(plan.config(), RankHost.Purpose.MEMBER, topology, plan.cores(), signal)) {
      RankPlan.Facts facts =
          new RankPlan.Facts(
              context.partitionId(), identity, host.claim().group(), FreeMemory.limits());
      RankPlan ranks = RankPlan.of(context.allGather(facts.encode()));
      int rank = ranks.rankOfPartition(context.partitionId());
      self[0] = Member.of(rank, identity);
      MemoryPlan memory =
          MemoryPlan.training(ranks, rank, topology, plan.microBatches(), plan.config().memory());
      LOG.info("{}: {}", self[0], memory.describe());
      RankFiles.requireRoom(
          plan.config(), plan.settings(), host.cache(), plan.microBatches().baseBytes());
      context.barrier(); // what any host refuses is refused before a rank starts on another
      host.start(signal);
      host.session().name(self[0] + " (process " + host.session().pid() + ")");
      PmiServer server =
          new PmiServer(
              ranks.group(plan.attempt()),
              new DriverKeyExchange(plan.attempt(), rank, ranks.worldSize()));
      try (PmiService pmi = PmiService.start(server, rank, host);
          CheckpointUpload upload = new CheckpointUpload(plan)) {
        host.session().post(new Frame.Train(assignment(self[0], ranks, memory, host, pmi, signal)));
        return converse(host, new RankFeed(rows, plan.steps()), upload, self[0], signal);
      }
    }
  }

  private TrainAssignment assignment(
      Member self,
      RankPlan ranks,
      MemoryPlan memory,
      RankHost host,
      PmiService pmi,
      TaskSignal signal)
      throws IOException, InterruptedException {
    RankFiles files =
        new RankFiles(
            plan.config(),
            plan.settings(),
            host,
            new ConversionProgress(plan.attempt(), self, signal, host.session()));
    BaseModel base = files.baseModel(host.claim().group().threads(), memory.rank());
    return new TrainAssignment(
        new TrainAssignment.Membership(
            self.rank(), ranks.worldSize(), host.mpiLibrary(), pmi.socket().toString()),
        base,
        ChatGlmConfig.Prefix.of(plan.config().prefix()),
        plan.resumeFrom().isEmpty() ? files.prefix(plan.config().prefix().initFrom()) : "",
        plan.resumeFrom().isEmpty() ? "" : files.checkpoint(plan.resumeFrom()),
        Files.createDirectory(host.directory().files().resolve("snapshots")).toString(),
        plan.config().training(),
        memory.budget().tokens(),
        new TrainAssignment.Span(plan.steps().first(), plan.steps().end()),
        plan.config().run().seed());
  }

  /**
   * Until the rank has finished: keep it fed, pass on what it says, and look out for the end of the
   * attempt.
   */
  private RankOutcome converse(
      RankHost host, RankFeed feed, CheckpointUpload upload, Member self, TaskSignal signal)
      throws IOException, InterruptedException {
    RankSession session = host.session();
    long stepsDone = 0;
    long reportedAt = System.nanoTime();
    while (true) {
      while (feed.hasNext() && feed.stepsGiven() - stepsDone < STEPS_AHEAD) {
        session.post(feed.next());
      }
      Frame frame = session.next(POLL_MILLIS);
      signal.check();
      upload.check();
      if (frame instanceof Frame.StepDone done) {
        stepsDone++;
        if (self.rank() == 0) {
          DriverLink.ask(new TaskMessage.StepDone(plan.attempt(), done.report()));
        }
        if (!done.nonFinite().isEmpty()) {
          DriverLink.ask(
              new TaskMessage.NonFinite(
                  plan.attempt(), self, done.report().step(), List.copyOf(done.nonFinite())));
        }
      } else if (frame instanceof Frame.Ready ready) {
        host.readBack(ready).report(plan.attempt(), self);
        LOG.info("{}: {}", self, ready.memory());
        DriverLink.ask(
            new TaskMessage.Joined(
                plan.attempt(),
                self,
                HostIdentity.cpuModel(),
                ready.backend(),
                ready.library(),
                ready.kernels()));
      } else if (frame instanceof Frame.Evaluated evaluated) {
        DriverLink.ask(
            new TaskMessage.Evaluated(
                plan.attempt(), evaluated.step(), evaluated.withPrefix(), evaluated.loss()));
      } else if (frame instanceof Frame.EarlyStop stop) {
        DriverLink.ask(new TaskMessage.EarlyStop(plan.attempt(), stop.step(), stop.evaluations()));
      } else if (frame instanceof Frame.Replica replica) {
        DriverLink.ask(
            new TaskMessage.Replica(plan.attempt(), self, replica.step(), replica.checksum()));
      } else if (frame instanceof Frame.Snapshot snapshot) {
        upload.start(snapshot.step(), Path.of(snapshot.directory()));
      } else if (frame instanceof Frame.Finished) {
        upload.finish(signal);
        session.awaitExit(signal);
        return new RankOutcome(self.rank(), self.host(), stepsDone);
      } else if (frame != null) {
        throw new IllegalStateException(
            "Invalid frame from " + self + ": " + frame.getClass().getSimpleName());
      }
      if (System.nanoTime() - reportedAt > REPORT_NANOS) {
        Watch.State state = session.state();
        DriverLink.ask(
            new TaskMessage.Alive(
                plan.attempt(), self, state.phase(), state.step(), state.seconds()));
        reportedAt = System.nanoTime();
      }
    }
  }
}
