package org.glmtuner.executor;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ResourceProfile;
import org.glmtuner.data.Sample;
import scala.Tuple2;
import scala.collection.Iterator;
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
    JavaRDD<Tuple2<RowKey, Sample>> input = new JavaRDD<>(rows.rdd(), rows.classTag());
    JavaRDD<Tuple2<RowKey, Sample>> barrier =
        new JavaRDD<>(
            input.rdd().barrier().mapPartitions(new Identity<>(), false, input.classTag()),
            input.classTag());
    JavaRDD<RankOutcome> outcomes = barrier.mapPartitions(new TrainTask(plan));
    return (profile == null ? outcomes : outcomes.withResources(profile)).collect();
  }

  /**
   * Java has no {@code barrier()}: the identity makes the stage a barrier stage, and Java's
   * function follows in it.
   */
  private static final class Identity<T> extends AbstractFunction1<Iterator<T>, Iterator<T>>
      implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<T> apply(Iterator<T> rows) {
      return rows;
    }
  }
}
