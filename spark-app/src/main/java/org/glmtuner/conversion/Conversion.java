package org.glmtuner.conversion;

import java.util.Locale;

/**
 * What came of a conversion.
 *
 * @param holds what was converted
 * @param output where it is now
 * @param sourceBytes of the files that were read
 * @param bytes that were written, small files not counted
 * @param release that the weights are of by SHA-256; empty where they are of none that is known
 */
public record Conversion(
    String holds, String output, long sourceBytes, long bytes, String release) {

  /** Into what. */
  public enum Target {
    /** The file that ranks map. */
    WEIGHTS,
    /** {@code pytorch_model.bin}, or shards of it. */
    OFFICIAL,
    /** {@code model.safetensors} or shards of it; {@code prefix.safetensors}. */
    SAFETENSORS;

    /** As on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
