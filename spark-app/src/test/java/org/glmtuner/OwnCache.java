package org.glmtuner;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** A cache directory for a test, and claims of cores in it: other runs on this host have no say. */
public final class OwnCache {
  private OwnCache() {}

  /** Keys of the configuration and their values, to which a test may add others. */
  public static Map<String, String> settings(Path cache) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("cache.directory", cache.toString());
    settings.put("ranks.claims", cache.resolve("cpus.lock").toString());
    return settings;
  }
}
