package org.glmtuner.executor;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.wire.Frame.Phase;
import org.glmtuner.wire.StepReport;

/** What tasks tell the driver over Spark's plugin channel, and what it may answer. */
public sealed interface TaskMessage extends Serializable {

  /** Names the attempt, so that a task of an older one cannot meddle. */
  String attempt();

  /**
   * One PMI barrier: what this rank has put since the last one. Answered by all ranks' puts (a
   * {@code HashMap}), or by null until the last rank has come: the driver's endpoint has one thread
   * and must not wait, so tasks ask again.
   */
  record Exchange(String attempt, int rank, int worldSize, int epoch, Map<String, String> puts)
      implements TaskMessage {}

  /** A rank has joined the process group. */
  record Joined(
      String attempt, Member member, String cpu, String backend, String library, String kernels)
      implements TaskMessage {}

  /** Asks for the driver's time, in milliseconds since 1970. */
  record Clock(String attempt) implements TaskMessage {}

  /** What a check has found, each finding as a line of JSON. */
  record Found(String attempt, int partition, List<String> findings) implements TaskMessage {}

  /** Something that people want to know. */
  record Note(String attempt, Member member, String text) implements TaskMessage {}

  /** So many more items of a job without steps are done. */
  record Answered(String attempt, int items) implements TaskMessage {}

  /** A step is done; said by rank 0. */
  record StepDone(String attempt, StepReport report) implements TaskMessage {}

  /** Samples whose loss was NaN or infinite in a step; said by the rank that had them. */
  record NonFinite(String attempt, Member member, long step, List<Long> samples)
      implements TaskMessage {}

  record Evaluated(String attempt, long step, boolean withPrefix, double loss)
      implements TaskMessage {}

  /** As {@link org.glmtuner.wire.Frame.EarlyStop}. */
  record EarlyStop(String attempt, long step, int evaluations) implements TaskMessage {}

  /** The checksum of a rank's parameters and moments at a checkpoint. */
  record Replica(String attempt, Member member, long step, long checksum) implements TaskMessage {}

  /** A checkpoint's files are in the temporary directory {@code directory} of the run directory. */
  record Uploaded(String attempt, long step, String directory, List<StoredFile> files)
      implements TaskMessage {}

  /** What a rank does since how long, every second; answered by null or a {@link Stop}. */
  record Alive(String attempt, Member member, Phase phase, long step, double seconds)
      implements TaskMessage {}

  /**
   * Why this task is about to fail. The driver believes the first one of an attempt: the others
   * follow from it.
   */
  record Failed(String attempt, Member member, ExitCode exitCode, String message)
      implements TaskMessage {}

  /**
   * A rank and where it is.
   *
   * @param executor Spark's id of the executor whose task has forked it
   */
  record Member(int rank, String host, String executor) implements Serializable {
    /** Of the task that calls this. */
    static Member of(int rank, HostIdentity host) {
      return new Member(rank, host.name(), SparkEnv.get().executorId());
    }

    @Override
    public String toString() {
      return "rank " + rank + " on " + host;
    }
  }

  /** A file of a checkpoint as it was written. */
  record StoredFile(String name, long bytes, String sha256) implements Serializable {}

  /** The driver's order to end the task, with the reason. */
  record Stop(String reason) implements Serializable {}
}
