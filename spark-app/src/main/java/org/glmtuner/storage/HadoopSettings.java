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
  private static final String FROM_SPARK = "spark.hadoop.";

  private final Map<String, String> entries; // a HashMap, which is serializable

  private HadoopSettings(Map<String, String> entries) {
    this.entries = entries;
  }

  /**
   * The configuration of this JVM, for what needs no Spark session: that of HADOOP_CONF_DIR, with
   * the {@code spark.hadoop.*} that spark-submit was given, which it passes on as system
   * properties.
   */
  static Configuration ofThisProcess() {
    Configuration configuration = new Configuration();
    System.getProperties()
        .forEach(
            (key, value) -> {
              if (key instanceof String name && name.startsWith(FROM_SPARK)) {
                configuration.set(name.substring(FROM_SPARK.length()), String.valueOf(value));
              }
            });
    return configuration;
  }

  /** Of this JVM, for what needs no Spark session. */
  public static HadoopSettings ofConfigured() {
    return of(ofThisProcess());
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
