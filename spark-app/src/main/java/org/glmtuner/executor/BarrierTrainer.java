package org.glmtuner.executor;

import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.resource.ResourceProfile;
import org.glmtuner.data.Sample;
import scala.runtime.AbstractFunction1;

/**
 * The barrier stage of an attempt: one {@link TrainTask} for each partition, all at once.
 *
 * <p>This is the one place that touches Scala's function and collection types; only {@code
 * Function1}, {@code Iterator} and {@code ClassTag} are named, which are the same on Scala 2.12 and
 * 2.13.
 */
public final class BarrierTrainer {
  private BarrierTrainer() {}

  /**
   * Runs the attempt on the caller's thread, so that Spark's job group, and with it a notebook's
   * cancel button, keeps working.
   *
   * @param rows in {@link RowKey} order inside each partition; there are as many partitions as
   *     ranks
   * @param profile cores of a task; null where the master knows no profiles
   */
  public static List<RankOutcome> run(
      JavaPairRDD<RowKey, Sample> rows, AttemptPlan plan, ResourceProfile profile) {
    return stage(new JavaRDD<>(rows.rdd(), rows.classTag()), new TrainTask(plan), profile);
  }

  /**
   * Any barrier stage, on the caller's thread.
   *
   * @param input with a partition for each task
   * @param profile as in {@link #run}
   */
  public static <T, R> List<R> stage(
      JavaRDD<T> input, FlatMapFunction<Iterator<T>, R> task, ResourceProfile profile) {
    JavaRDD<T> barrier =
        new JavaRDD<>(
            input.rdd().barrier().mapPartitions(new Identity<>(), false, input.classTag()),
            input.classTag());
    JavaRDD<R> results = barrier.mapPartitions(task);
    return (profile == null ? results : results.withResources(profile)).collect();
  }

  /**
   * Java has no {@code barrier()}: the identity makes the stage a barrier stage, and Java's
   * function follows in it.
   */
  private static final class Identity<T>
      extends AbstractFunction1<scala.collection.Iterator<T>, scala.collection.Iterator<T>>
      implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public scala.collection.Iterator<T> apply(scala.collection.Iterator<T> rows) {
      return rows;
    }
  }
}
