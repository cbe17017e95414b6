package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.Arrays;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.nativeddp.GradientReducer;
import org.glmtuner.nativeddp.ProcessControl;
import org.glmtuner.wire.Frame;

/** Sums over all ranks, without a model; every sum is checked. Collective. */
final class SumMeasurement {
  private static final int FEW = 4; // as a step sums for its loss

  private final Frame.MeasureSums order;
  private final TaskLink task;

  SumMeasurement(Frame.MeasureSums order, TaskLink task) {
    this.order = order;
    this.task = task;
  }

  void run() throws IOException, InterruptedException {
    try (NDManager manager = NDManager.newBaseManager()) {
      long start = System.nanoTime();
      DistributedGroup group = DistributedGroup.join(manager, order.membership(), task);
      double joining = (System.nanoTime() - start) / 1e9;
      task.send(
          new Frame.Ready(
              DistributedGroup.BACKEND,
              group.libraryVersion(),
              "",
              ProcessControl.allowedCpus(),
              ""));
      task.send(new Frame.SumsMeasured(joining, gradient(group, manager), few(group)));
      if (!(task.next() instanceof Frame.End)) {
        throw new IllegalStateException("Invalid frame after a measurement");
      }
      group.close();
    }
  }

  private double[] gradient(DistributedGroup group, NDManager manager) {
    double[] seconds = new double[order.rounds()];
    long[] shape = Arrays.stream(order.shape()).asLongStream().toArray();
    try (NDArray gradient = manager.zeros(new Shape(shape));
        GradientReducer reducer = group.reducer(gradient)) {
      for (int round = -1; round < seconds.length; round++) {
        gradient.set(new NDIndex(":"), order.membership().rank() + 1);
        group.sum(new double[1]); // all begin together
        long start = System.nanoTime();
        reducer.reduceAll();
        group.finish(reducer);
        if (round >= 0) {
          seconds[round] = (System.nanoTime() - start) / 1e9;
        }
        check(gradient.min().getFloat(), group.worldSize());
        check(gradient.max().getFloat(), group.worldSize());
      }
    }
    return seconds;
  }

  private double[] few(DistributedGroup group) {
    double[] seconds = new double[order.rounds()];
    for (int round = -1; round < seconds.length; round++) {
      double[] values = new double[FEW];
      Arrays.fill(values, order.membership().rank() + 1);
      group.sum(new double[1]);
      long start = System.nanoTime();
      group.sum(values);
      if (round >= 0) {
        seconds[round] = (System.nanoTime() - start) / 1e9;
      }
      for (double value : values) {
        check(value, group.worldSize());
      }
    }
    return seconds;
  }

  private static void check(double sum, int worldSize) {
    double expected = worldSize * (worldSize + 1) / 2.0;
    if (sum != expected) {
      throw new TunerException(
          ExitCode.TRAINING_FAILED,
          "Cannot vouch for the sum over ranks: it is " + sum + ", not " + expected);
    }
  }
}
