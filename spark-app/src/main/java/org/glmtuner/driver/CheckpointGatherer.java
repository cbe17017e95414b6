package org.glmtuner.driver;

import java.io.IOException;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.glmtuner.checkpoint.Checkpoints;
import org.glmtuner.checkpoint.Manifest;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.executor.TaskMessage.Replica;
import org.glmtuner.executor.TaskMessage.Uploaded;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Publishes a checkpoint when its files are uploaded and every rank has said that its replica is
 * the same.
 */
final class CheckpointGatherer {
  private final RunDirectory run;
  private final Checkpoints checkpoints;
  private final int worldSize;
  private final int keep;
  private final Map<Long, Map<Member, Long>> replicas = new TreeMap<>();
  private final Map<Long, Uploaded> uploads = new TreeMap<>();
  private final Map<Long, Double> evaluations = new TreeMap<>();
  private long published = -1;
  private long endsAfter;

  CheckpointGatherer(RunDirectory run, int worldSize, int keep, long lastStep) {
    this.run = run;
    this.checkpoints = new Checkpoints(run.directory());
    this.worldSize = worldSize;
    this.keep = keep;
    this.endsAfter = lastStep;
  }

  /** Notes a rank's checksum; true if that completed a checkpoint. */
  boolean replica(Replica replica) throws IOException {
    replicas
        .computeIfAbsent(
            replica.step(), step -> new TreeMap<>(Comparator.comparingInt(Member::rank)))
        .put(replica.member(), replica.checksum());
    return publishIfComplete(replica.step());
  }

  /** Notes an upload; true if that completed a checkpoint. */
  boolean uploaded(Uploaded upload) throws IOException {
    uploads.put(upload.step(), upload);
    return publishIfComplete(upload.step());
  }

  /** Notes the loss on the validation rows after a step, before that step's checkpoint comes. */
  void evaluated(long step, double loss) {
    evaluations.put(step, loss);
  }

  /** The run ends with the checkpoint of this step. */
  void endAfter(long step) {
    endsAfter = step;
  }

  /** Whether the checkpoint that ends the run was published. */
  boolean isComplete() {
    return published == endsAfter;
  }

  /** The newest step that was published in this attempt; -1 if none was. */
  long published() {
    return published;
  }

  private boolean publishIfComplete(long step) throws IOException {
    Map<Member, Long> checksums = replicas.getOrDefault(step, Map.of());
    if (checksums.size() < worldSize) {
      return false;
    }
    checkEqual(step, checksums);
    Uploaded upload = uploads.get(step);
    if (upload == null) {
      return false;
    }
    String checksum = Long.toHexString(checksums.values().iterator().next());
    Manifest manifest =
        new Manifest(
            step,
            worldSize,
            checksum,
            evaluations.get(step),
            step == endsAfter,
            upload.files().stream()
                .map(file -> new Manifest.Entry(file.name(), file.bytes(), file.sha256()))
                .sorted(Comparator.comparing(Manifest.Entry::name))
                .toList());
    run.checkHeld();
    checkpoints.publish(upload.directory(), manifest, keep);
    replicas.remove(step);
    uploads.remove(step);
    published = step;
    return true;
  }

  private static void checkEqual(long step, Map<Member, Long> checksums) {
    Map<Long, Long> votes =
        checksums.values().stream()
            .collect(Collectors.groupingBy(checksum -> checksum, Collectors.counting()));
    if (votes.size() == 1) {
      return;
    }
    long majority =
        votes.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    String odd =
        checksums.entrySet().stream()
            .filter(entry -> entry.getValue() != majority)
            .map(entry -> entry.getKey() + " has " + Long.toHexString(entry.getValue()))
            .collect(Collectors.joining(", "));
    throw new TunerException(
        ExitCode.TRAINING_FAILED,
        "Cannot publish the checkpoint of step "
            + step
            + ": the replicas differ; most ranks have checksum "
            + Long.toHexString(majority)
            + ", "
            + odd);
  }
}
