package org.glmtuner.config;

import java.io.Serializable;
import java.nio.file.Path;

/**
 * {@code cache}: what a host keeps between runs.
 *
 * @param directory absolute local path; empty for {@code /var/tmp/glm-tuner-<user>} on the host
 *     that uses it
 */
public record CacheConfig(String directory) implements Serializable {
  static CacheConfig read(Section section) {
    return new CacheConfig(section.text("directory"));
  }

  /** The directory on this host. */
  public Path path() {
    return Path.of(
        directory.isEmpty() ? "/var/tmp/glm-tuner-" + System.getProperty("user.name") : directory);
  }
}
