package org.glmtuner.storage;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * The Hadoop configuration of the Spark session in a form that travels to executors. Credentials do
 * not travel with it: they are in each JVM's own user information, where Spark put them.
 */
public final class HadoopSettings implements Serializable {
  private static final long serialVersionUID = 1L;

  private final Map<String, String> entries; // a HashMap, which is serializable

  private HadoopSettings(Map<String, String> entries) {
    this.entries = entries;
  }

  /** A copy of {@code configuration}'s resolved entries. */
  public static HadoopSettings of(Configuration configuration) {
    Map<String, String> entries = new HashMap<>();
    for (Map.Entry<String, String> entry : configuration) {
      entries.put(entry.getKey(), entry.getValue());
    }
    return new HadoopSettings(entries);
  }

  Configuration toConfiguration() {
    Configuration configuration = new Configuration(false);
    entries.forEach(configuration::set);
    return configuration;
  }
}
