package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a shell in the place of a rank. */
class RankProcessTest {
  private static final int LINES = 9000; // 44 kB, less than a pipe holds

  @TempDir Path directory;

  @Test
  void whatARankSaidBeforeItWasKilledIsToldToTheLastLine() throws Exception {
    Path said = directory.resolve("said");
    String script = "seq 1 " + LINES + "; : > '" + said + "'; exec sleep 60";
    try (RankProcess rank =
        RankProcess.start(
            new RankLaunch(List.of("sh", "-c", script), Map.of("PATH", System.getenv("PATH"))))) {
      await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> Files.exists(said));
      rank.kill("was ended by its MPI library");
      assertThat(rank.obituary())
          .startsWith("was ended by its MPI library; its last output:\n")
          .contains("\n  " + (LINES - 39) + "\n")
          .endsWith("\n  " + LINES);
    }
  }
}
