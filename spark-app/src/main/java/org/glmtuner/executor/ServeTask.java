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
    try (RankHost host = RankHost.open(plan.config(), plan.cores(), signal)) {
      int beside = Math.min(plan.ranks(), CpuTopology.read().groups(plan.cores()).size());
      MicroBatchMemory.Budget budget =
          plan.microBatches().serving(FreeMemory.limits(), beside, sequences());
      LOG.info("{}: {} tokens at a time, {}", self, budget.tokens(), budget.reason());
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
              new ServeAssignment(files.baseModel(plan.cores()), files.prefix(plan.checkpoint()))));
      await(session, signal); // ready
      answer(items, budget.tokens(), dialogue(session, signal), answers);
      session.post(new Frame.End());
      await(session, signal); // finished
      session.awaitExit(signal);
    }
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
