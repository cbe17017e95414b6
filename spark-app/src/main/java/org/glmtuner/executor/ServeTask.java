package org.glmtuner.executor;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.model.RankMemory;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.ServeAssignment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An ordinary task that forks a rank and asks it about its partition's items, one request at a
 * time.
 */
abstract class ServeTask<Q, A> implements FlatMapFunction<Iterator<Q>, A>, Serializable {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(ServeTask.class);
  private static final long POLL_MILLIS = 50;

  private final ServePlan plan;

  ServeTask(ServePlan plan) {
    this.plan = plan;
  }

  final ServePlan plan() {
    return plan;
  }

  /** What an answer is worked out with. */
  interface Dialogue {
    /** Asks the rank and waits for its answer. */
    Frame ask(Frame request) throws InterruptedException;

    /** Tells the driver that so many more items are done. */
    void done(int items);
  }

  /** Those whose keys and values the rank keeps. */
  abstract RankMemory.Sequences sequences();

  /**
   * Answers all items.
   *
   * @param tokens that the rank is to run at a time
   */
  abstract void answer(Iterator<Q> items, int tokens, Dialogue rank, List<A> answers)
      throws InterruptedException;

  @Override
  public Iterator<A> call(Iterator<Q> items) throws Exception {
    List<A> answers = new ArrayList<>();
    if (items.hasNext()) {
      TaskContext context = TaskContext.get();
      Member self = Member.of(context.partitionId(), HostIdentity.read());
      TaskSignal signal = TaskSignal.of(context);
      try {
        serve(items, answers, self, signal);
      } catch (Throwable e) { // out of memory is to be reported too
        FailureReport.send(plan.attempt(), self, e, signal);
        throw e;
      }
    }
    return answers.iterator();
  }

  private void serve(Iterator<Q> items, List<A> answers, Member self, TaskSignal signal)
      throws IOException, InterruptedException {
    Topology topology = HostTopology.read(plan.config().cache().path());
    try (RankHost host =
        RankHost.prepare(plan.config(), RankHost.Purpose.SERVER, topology, plan.cores(), signal)) {
      MemoryPlan memory = memory(host, topology);
      LOG.info("{}: {}", self, memory.describe());
      RankFiles.requireRoom(
          plan.config(), plan.settings(), host.cache(), plan.microBatches().baseBytes());
      host.start(signal);
      RankSession session = host.session();
      session.name(self + " (process " + session.pid() + ")");
      RankFiles files =
          new RankFiles(
              plan.config(),
              plan.settings(),
              host,
              new ConversionProgress(plan.attempt(), self, signal, session));
      session.post(
          new Frame.Serve(
              new ServeAssignment(
                  files.baseModel(host.claim().group().threads(), memory.rank()),
                  files.prefix(plan.checkpoint()))));
      Frame.Ready ready = (Frame.Ready) await(session, signal);
      host.readBack(ready).report(plan.attempt(), self);
      LOG.info("{}: {}", self, ready.memory());
      answer(items, memory.budget().tokens(), dialogue(session, signal), answers);
      session.post(new Frame.End());
      await(session, signal); // finished
      session.awaitExit(signal);
    }
  }

  private MemoryPlan memory(RankHost host, Topology topology) throws IOException {
    return MemoryPlan.serving(
        MemoryPlan.Neighbours.atMost(
            plan.ranks(), topology.memory(), host.groups(), host.claim().group()),
        FreeMemory.limits(),
        plan.microBatches(),
        sequences(),
        plan.config().memory());
  }

  private Dialogue dialogue(RankSession session, TaskSignal signal) {
    return new Dialogue() {
      @Override
      public Frame ask(Frame request) throws InterruptedException {
        session.post(request);
        return await(session, signal);
      }

      @Override
      public void done(int items) {
        try {
          DriverLink.ask(new TaskMessage.Answered(plan.attempt(), items));
        } catch (IOException e) {
          LOG.warn("Cannot tell the driver of {} more answers: {}", items, e.getMessage());
        }
      }
    };
  }

  private static Frame await(RankSession session, TaskSignal signal) throws InterruptedException {
    while (true) {
      Frame frame = session.next(POLL_MILLIS);
      signal.check();
      if (frame != null) {
        return frame;
      }
    }
  }
}
