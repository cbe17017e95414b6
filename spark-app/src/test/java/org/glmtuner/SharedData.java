package org.glmtuner;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/**
 * Data that tests use but the repository does not hold, for its size or its licence: the directory
 * named by {@code GLM_TUNER_SHARED}, else {@code shared} beside the repository.
 */
public final class SharedData {

  private SharedData() {}

  /**
   * The path below the shared directory; where it is missing the calling test is skipped, saying
   * so.
   */
  public static Path require(String path) {
    Path shared =
        Path.of(Optional.ofNullable(System.getenv("GLM_TUNER_SHARED")).orElse("../../shared"))
            .toAbsolutePath()
            .normalize();
    Path required = shared.resolve(path);
    Assumptions.assumeTrue(
        Files.exists(required), () -> required + " is missing (set GLM_TUNER_SHARED)");
    return required;
  }
}
