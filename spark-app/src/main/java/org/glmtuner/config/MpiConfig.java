package org.glmtuner.config;

import java.io.Serializable;
import java.util.Map;

/**
 * {@code mpi}: the library of the process group.
 *
 * @param library path on the executors' hosts; empty for the bundled MPICH
 * @param environment more environment variables of the ranks
 */
public record MpiConfig(String library, Map<String, String> environment) implements Serializable {
  static MpiConfig read(Section section) {
    return new MpiConfig(section.text("library"), section.textMap("environment"));
  }
}
