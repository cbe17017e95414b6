package org.glmtuner.config;

import java.io.Serializable;

/**
 * {@code data}: the rows and how they become samples; lengths are the official {@code
 * max_source_length} and {@code max_target_length}, in tokens with specials.
 */
public record DataConfig(
    Format format,
    String train,
    String validation,
    Columns columns,
    int maxSourceLength,
    int maxTargetLength,
    double maxRejectedShare,
    boolean shuffle)
    implements Serializable {

  /** How rows are stored. */
  public enum Format {
    AUTO,
    JSON,
    TOKENS
  }

  /** Where a row's texts are, and what is put in front of every prompt. */
  public record Columns(String prompt, String response, String sourcePrefix)
      implements Serializable {}

  static DataConfig read(Section section) {
    return new DataConfig(
        section.choice("format", Format.values()),
        section.text("train"),
        section.text("validation"),
        new Columns(
            section.text("prompt-column"),
            section.text("response-column"),
            section.text("source-prefix")),
        section.integer("max-source-length", 3, 1 << 20),
        section.integer("max-target-length", 3, 1 << 20),
        section.number("max-rejected-share", 0, 1.000001),
        section.flag("shuffle"));
  }
}
