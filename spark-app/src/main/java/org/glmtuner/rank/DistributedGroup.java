package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.nio.file.Path;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.Handles;
import org.glmtuner.nativeddp.GradientReducer;
import org.glmtuner.nativeddp.MpiProcessGroup;
import org.glmtuner.wire.Frame.Phase;
import org.glmtuner.wire.TrainAssignment;

/**
 * The process group with DJL arrays. Every method but the queries is collective: all ranks call it
 * in the same order.
 */
@SuppressWarnings("try") // activities are held, not used
final class DistributedGroup implements AutoCloseable {
  /** The c10d backend's name. */
  static final String BACKEND = "mpi";

  private final MpiProcessGroup group;
  private final NDManager manager;
  private final TaskLink task;

  private DistributedGroup(MpiProcessGroup group, NDManager manager, TaskLink task) {
    this.group = group;
    this.manager = manager;
    this.task = task;
  }

  /**
   * Joins the group, which tests itself.
   *
   * @throws TunerException with exit code 3 where the MPI library cannot be used, 4 where the group
   *     did not come about
   */
  static DistributedGroup join(
      NDManager manager, TrainAssignment.Membership membership, TaskLink task) {
    try (TaskLink.Activity joining = task.enter(Phase.IN_COLLECTIVE)) {
      MpiProcessGroup group =
          MpiProcessGroup.join(
              Path.of(membership.mpiLibrary()),
              Path.of(membership.pmiSocket()),
              membership.rank(),
              membership.worldSize());
      return new DistributedGroup(group, manager.newSubManager(), task);
    } catch (IllegalArgumentException e) {
      throw new TunerException(ExitCode.UNSUITABLE, e.getMessage() + " (mpi.library)", e);
    } catch (IllegalStateException e) {
      throw new TunerException(ExitCode.TRAINING_FAILED, e.getMessage(), e);
    }
  }

  int worldSize() {
    return group.worldSize();
  }

  String libraryVersion() {
    return group.libraryVersion();
  }

  /** Sums over ranks, in place. */
  void sum(double[] values) {
    try (TaskLink.Activity collective = task.enter(Phase.IN_COLLECTIVE);
        NDArray array = manager.create(values)) {
      group.allReduceSum(Handles.of(array));
      System.arraycopy(array.toDoubleArray(), 0, values, 0, values.length);
    }
  }

  /** Whether all ranks have exactly this value; NaN equals NaN. */
  boolean agree(double value) {
    // the greatest of v and of -v over the ranks: together they are equal to v and -v only where
    // all are
    long bits = Double.doubleToLongBits(value);
    double high = bits >>> 32;
    double low = bits & 0xffffffffL;
    try (TaskLink.Activity collective = task.enter(Phase.IN_COLLECTIVE);
        NDArray array = manager.create(new double[] {high, -high, low, -low})) {
      group.allReduceMax(Handles.of(array));
      double[] most = array.toDoubleArray();
      return most[0] == -most[1] && most[2] == -most[3];
    }
  }

  /** Gives all ranks the values of rank 0, in place. */
  void broadcast(NDArray array) {
    try (TaskLink.Activity collective = task.enter(Phase.IN_COLLECTIVE)) {
      group.broadcast(Handles.of(array), 0);
    }
  }

  /**
   * Reduces the first dimension's slices of {@code gradient} while backward goes on; to be ended by
   * {@link #finish}.
   */
  GradientReducer reducer(NDArray gradient) {
    return new GradientReducer(group, Handles.of(gradient));
  }

  /** Waits until the reduction of a step is done. */
  GradientReducer.Timing finish(GradientReducer reducer) {
    try (TaskLink.Activity collective = task.enter(Phase.IN_COLLECTIVE)) {
      return reducer.finish();
    }
  }

  @Override
  public void close() {
    manager.close();
    try (TaskLink.Activity collective = task.enter(Phase.IN_COLLECTIVE)) {
      group.close();
    }
  }
}
