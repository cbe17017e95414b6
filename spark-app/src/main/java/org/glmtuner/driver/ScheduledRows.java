package org.glmtuner.driver;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.RowKey;
import scala.Tuple2;

/** Sends every sample to where and when an attempt needs it: one shuffle, sorted by step. */
final class ScheduledRows {
  private ScheduledRows() {}

  /**
   * The rows of an attempt.
   *
   * @param validation dealt out evenly, before all steps
   */
  static JavaPairRDD<RowKey, Sample> of(
      JavaRDD<Sample> samples,
      JavaRDD<Sample> validation,
      SampleSchedule schedule,
      Broadcast<SampleSchedule.Deal> deal,
      int partitions) {
    JavaPairRDD<RowKey, Sample> scheduled =
        samples.flatMapToPair(sample -> uses(sample, schedule, deal.value()));
    JavaPairRDD<RowKey, Sample> evaluated =
        validation.mapToPair(
            sample ->
                new Tuple2<>(
                    new RowKey((int) (sample.id() % partitions), RowKey.VALIDATION, sample.id()),
                    sample));
    return scheduled
        .union(evaluated)
        .repartitionAndSortWithinPartitions(new ByPartition(partitions), new RowKey.Order());
  }

  /** A sample once for each epoch that has its entry in the attempt. */
  private static Iterator<Tuple2<RowKey, Sample>> uses(
      Sample sample, SampleSchedule schedule, SampleSchedule.Deal deal) {
    List<Tuple2<RowKey, Sample>> uses = new ArrayList<>();
    for (long epoch = deal.firstEntry() / schedule.samples();
        epoch * schedule.samples() < deal.endEntry();
        epoch++) {
      long entry = schedule.entryOf(epoch, sample.id());
      if (entry >= deal.firstEntry() && entry < deal.endEntry()) {
        uses.add(
            new Tuple2<>(
                new RowKey(deal.partition(entry), entry / schedule.globalBatch(), entry), sample));
      }
    }
    return uses.iterator();
  }

  private static final class ByPartition extends Partitioner implements Serializable {
    private static final long serialVersionUID = 1L;

    private final int partitions;

    ByPartition(int partitions) {
      this.partitions = partitions;
    }

    @Override
    public int numPartitions() {
      return partitions;
    }

    @Override
    public int getPartition(Object key) {
      return ((RowKey) key).partition();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof ByPartition same && partitions == same.partitions;
    }

    @Override
    public int hashCode() {
      return partitions;
    }
  }
}
