package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.checkpoint.Checkpoints;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;

/** What runs have published in local directories. */
final class RunCheckpoints {
  private RunCheckpoints() {}

  static Checkpoints.Listing of(Path runDirectory) throws IOException {
    String run = runDirectory.toUri().toString();
    return new Checkpoints(Directory.of(run, HadoopSettings.of(new Configuration(false)))).list();
  }

  /** Waits until a run that is under way has published its first. */
  static void awaitFirst(Submission submission, Path runDirectory, Duration limit) {
    await()
        .atMost(limit)
        .pollInterval(Duration.ofMillis(50))
        .failFast(
            "training ended",
            () -> assertThat(submission.driver().isAlive()).as(submission.err()).isTrue())
        .until(() -> Files.isDirectory(runDirectory) && of(runDirectory).newest().isPresent());
  }
}
