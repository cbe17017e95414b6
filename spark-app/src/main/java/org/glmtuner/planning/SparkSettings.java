package org.glmtuner.planning;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How to ask Spark for the plan: one executor for each host, so that its ranks come to be where the
 * plan has them.
 *
 * @param executors of the run
 * @param ranks of an executor, at most
 * @param cores of a rank
 * @param overheads of an executor's container, by how they are counted
 */
public record SparkSettings(int executors, int ranks, int cores, Overheads overheads) {
  /** That makes YARN's node managers leave out what is mapped read-only and shared. */
  public static final String SHARED_NOT_COUNTED =
      "yarn.nodemanager.container-monitor.procfs-tree.smaps-based-rss.enabled";

  private static final String HEAP = "2g";
  private static final long HEAP_OVERHEAD = 384L << 20; // as Spark asks for with such a heap
  private static final long GIBI = 1L << 30;

  /**
   * Memory besides the executor's heap, in bytes.
   *
   * @param resident pages of each process summed, so that weights which ranks map together count
   *     once for each of them: YARN's way
   * @param unshared with each copy of the weights once, as a run counts before it starts: YARN's
   *     with {@link #SHARED_NOT_COUNTED} counts no more
   */
  public record Overheads(long resident, long unshared) {}

  /**
   * What an executor's container holds.
   *
   * @param rankBytes of a rank for itself, its Java heap included
   * @param weightBytes that a rank reads
   * @param copies of the weights, the mapped file being one
   * @param checkpoint bytes that the first rank takes besides
   */
  static Overheads overheads(
      int ranks, long rankBytes, long weightBytes, int copies, long checkpoint) {
    long own = HEAP_OVERHEAD + checkpoint + ranks * rankBytes;
    return new Overheads(own + ranks * weightBytes, own + copies * weightBytes);
  }

  /** Options of spark-submit: {@code --conf NAME=VALUE}. */
  public Map<String, String> conf() {
    Map<String, String> conf = new LinkedHashMap<>();
    conf.put("spark.executor.instances", Integer.toString(executors));
    conf.put("spark.executor.cores", Integer.toString(ranks * cores));
    conf.put("spark.executor.memory", HEAP);
    conf.put("spark.executor.memoryOverhead", gibibytes(overheads.resident()));
    conf.put("spark.task.cpus", "1");
    return conf;
  }

  /** Rounded up, as Spark reads it. */
  static String gibibytes(long bytes) {
    return (bytes + GIBI - 1) / GIBI + "g";
  }
}
