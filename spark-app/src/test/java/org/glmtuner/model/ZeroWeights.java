package org.glmtuner.model;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Map;
import org.glmtuner.checkpoint.SafetensorsLayout;
import org.glmtuner.config.Precision;

/** Weight files of any size that take no room on disk: all weights are zero, holes in the file. */
public final class ZeroWeights {
  private static final int PAGE = 4096;

  private ZeroWeights() {}

  /** Writes a file that ranks can map. */
  public static void write(Path file, ChatGlmConfig config, Precision precision)
      throws IOException {
    Map<String, String> metadata =
        Map.of(
            "format", "glm-tuner-weights",
            "version", "1",
            "precision", precision.label(),
            "qkv_layout", "Q|K|V");
    SafetensorsLayout layout =
        new SafetensorsLayout(WeightFile.tensors(config, precision), metadata, PAGE);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.getChannel().write(layout.header());
      out.setLength(layout.fileBytes());
    }
  }
}
