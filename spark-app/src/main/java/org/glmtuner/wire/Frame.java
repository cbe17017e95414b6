package org.glmtuner.wire;

import java.util.List;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.generation.Decoding;
import org.glmtuner.generation.Prompt;

/** One message between a task and its rank. */
public sealed interface Frame {

  // From the task.

  /** The first frame of a training rank. */
  record Train(TrainAssignment assignment) implements Frame {}

  /** The first frame of a rank that scores and generates, without a process group. */
  record Serve(ServeAssignment assignment) implements Frame {}

  /**
   * The first frame of a rank that measures what it costs to sum over all ranks.
   *
   * @param shape of the gradient that is summed by the slices of its first dimension
   * @param rounds of each measurement, after one that warms up
   */
  record MeasureSums(TrainAssignment.Membership membership, int[] shape, int rounds)
      implements Frame {}

  /**
   * The first frame of a rank that measures its CPUs and memory, without a model; {@link Ready}
   * answers.
   *
   * @param threads that compute
   */
  record Calibrate(int threads, EngineConfig.Isa isa) implements Frame {}

  /** Asks a rank that calibrates for its rates, which it measures for so long. */
  record MeasureRates(double seconds) implements Frame {}

  /** Some of the rank's share of the validation rows; all of them come before the first step. */
  record ValidationRows(List<Sample> samples) implements Frame {}

  /**
   * The rank's share of a step, perhaps empty.
   *
   * @param step counted from 0 over the whole run
   * @param samples over all ranks
   */
  record Step(long step, int samples, List<Entry> entries) implements Frame {}

  /** Asks for a layer of the gradient of the last step, for whoever verifies it. */
  record ReadGradient(int layer) implements Frame {}

  /** There are no more steps or requests: finish and exit. */
  record End() implements Frame {}

  /** Asks for the loss of each sample. */
  record Score(List<Sample> samples, boolean withPrefix) implements Frame {}

  /** Asks for completions. */
  record Complete(List<Prompt> prompts, Decoding decoding, boolean withPrefix) implements Frame {}

  // From the rank.

  /**
   * Sent every second whatever the rank does; see {@link Phase}. {@code progress} grows with the
   * work done.
   */
  record Alive(Phase phase, long step, long progress) implements Frame {}

  /**
   * The rank can work now: weights are there and, for training, the group has passed its self-test.
   *
   * @param backend of the process group; empty when serving
   * @param library version of the MPI library; empty when serving
   * @param kernels what computes
   * @param cpus the CPUs that the process may use
   * @param memory where the kernel says that the weights are, for people; empty without weights
   */
  record Ready(String backend, String library, String kernels, int[] cpus, String memory)
      implements Frame {}

  /**
   * A step is done here. {@code nonFinite} are the ids of this rank's samples whose loss is NaN or
   * infinite.
   */
  record StepDone(StepReport report, List<Long> nonFinite) implements Frame {}

  /**
   * Answers {@link ReadGradient}: [2, P, H], the sum over the step's samples, equal on all ranks.
   */
  record GradientRead(float[] values) implements Frame {}

  /**
   * Mean loss on the validation rows of all ranks, per token-weighted sample as in training; said
   * by rank 0 only.
   */
  record Evaluated(long step, boolean withPrefix, double loss) implements Frame {}

  /**
   * All ranks stop after {@code step} steps because the last {@code evaluations} measurements on
   * the validation rows were no better; said by rank 0 only, before the last checkpoint.
   */
  record EarlyStop(long step, int evaluations) implements Frame {}

  /**
   * Files of a checkpoint, written by rank 0 to a local directory that the task may now read and
   * must remove.
   */
  record Snapshot(long step, String directory) implements Frame {}

  /** A checksum over parameters and moments after a step; equal on all ranks. */
  record Replica(long step, long checksum) implements Frame {}

  /** Answers {@link Score}: per sample the sum of its token losses. */
  record Scored(double[] losses) implements Frame {}

  /** Answers {@link Complete}: per prompt its new ids, without the closing eop. */
  record Completed(List<int[]> newIds) implements Frame {}

  /**
   * Answers {@link MeasureSums}, in seconds, of each round but for the first.
   *
   * @param joining the MPI library's loading and initialisation, and the group's test of itself
   * @param gradient from the first slice's post to the end of the last one
   * @param few a sum of a few values, as a step needs for its loss
   */
  record SumsMeasured(double joining, double[] gradient, double[] few) implements Frame {}

  /**
   * Answers {@link MeasureRates}.
   *
   * @param operationsPerSecond of matrix products, two for each multiplication and addition
   * @param bytesPerSecond read from memory by all threads together
   * @param refusals of this machine, such as {@code amx: this CPU lacks AMX-TILE or AMX-BF16}
   */
  record Calibrated(double operationsPerSecond, double bytesPerSecond, List<String> refusals)
      implements Frame {}

  /**
   * The rank gives up and exits.
   *
   * @param stackTrace empty where the message says all there is to know
   */
  record Failed(ExitCode exitCode, String message, String stackTrace) implements Frame {}

  /** The answer to {@link End}: all that was asked is done. */
  record Finished() implements Frame {}

  /** What a rank is doing, so that a hung one can be told from one that waits for it. */
  enum Phase {
    /** {@link Alive#progress} grows while weights are read. */
    STARTING,
    WAITING_FOR_WORK,
    /** {@link Alive#progress} has to grow all the time. */
    COMPUTING,
    IN_COLLECTIVE,
    /** Between the prefix encoder's parameters and the keys and values: few large products. */
    ENCODING_PREFIX,
    /** Waiting for a checkpoint to be on the local disk. */
    WRITING,
    /** Another rank of the host copies the weights that this one is to share. */
    WAITING_FOR_WEIGHTS
  }
}
