package org.glmtuner.executor;

import java.io.IOException;
import java.util.Map;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;

/**
 * A process that starts a rank of one core, says its process id, and lives until its standard input
 * ends.
 *
 * <p>Usage: {@code OneRank CACHE-DIRECTORY CLAIMS}.
 */
public final class OneRank {
  private OneRank() {}

  static TunerConfig config(String cache, String claims) {
    return ConfigLoader.load(
        "",
        "",
        Map.of(
            "cache.directory",
            cache,
            "ranks.claims",
            claims,
            "ranks.wait",
            "1s",
            "ranks.require-binding",
            "true"));
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    TunerConfig config = config(arguments[0], arguments[1]);
    try (LocalRanks rank =
        LocalRanks.openAlone(
            config, HostTopology.read(config.cache().path()), 1, 1, TaskSignal.NEVER)) {
      System.out.println("rank " + rank.pid(0));
      while (System.in.read() >= 0) {
        // until the test has seen enough
      }
    }
  }
}
