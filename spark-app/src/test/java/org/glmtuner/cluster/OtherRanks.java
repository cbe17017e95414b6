package org.glmtuner.cluster;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.glmtuner.OwnCache;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.executor.LocalRanks;

/** Ranks that have cores which a command wants. */
final class OtherRanks {
  private OtherRanks() {}

  /** So many of one core each, with the claims of {@link Submission.Builder#cache}. */
  static LocalRanks open(Path cache, int count) throws IOException, InterruptedException {
    Map<String, String> settings = OwnCache.settings(cache);
    settings.put("ranks.cores", "1");
    return LocalRanks.open(ConfigLoader.load("", "", settings), HostTopology.read(cache), count, 1);
  }
}
