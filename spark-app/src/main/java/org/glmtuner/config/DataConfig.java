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
    Texts texts,
    int maxSourceLength,
    int maxTargetLength,
    double maxRejectedShare,
    boolean shuffle)
    implements Serializable {

  /** How rows are stored. */
  public enum Format {
    AUTO,
    JSON,
    CSV,
    PARQUET,
    TOKENS
  }

  /**
   * Where a row's texts are, and what is put in front of every prompt.
   *
   * @param history empty where there is no such column
   */
  public record Columns(String prompt, String response, String history, String sourcePrefix)
      implements Serializable {}

  /** How texts become prompts and ids; {@code OFFICIAL} is what the official training does. */
  public record Texts(EmptyHistory emptyHistory, Truncation truncation, SpecialTokens specialTokens)
      implements Serializable {}

  /** What a row with a history column, but no turns in it, is trained on. */
  public enum EmptyHistory {
    /** {@code [Round 0]}, which the official evaluation and chat do not write in that case. */
    OFFICIAL,
    /** The query as it is. */
    RAW
  }

  /** What of a conversation that is too long is cut. */
  public enum Truncation {
    /** The end, and with it the newest query. */
    OFFICIAL,
    /** The oldest turns, then the head of the query. */
    OLDEST
  }

  /** What the name of a special token in a text becomes. */
  public enum SpecialTokens {
    /** Text like any other. */
    TEXT,
    /** The special token. */
    OFFICIAL
  }

  static DataConfig read(Section section) {
    return new DataConfig(
        section.choice("format", Format.values()),
        section.text("train"),
        section.text("validation"),
        new Columns(
            section.text("prompt-column"),
            section.text("response-column"),
            section.text("history-column"),
            section.text("source-prefix")),
        new Texts(
            section.choice("empty-history", EmptyHistory.values()),
            section.choice("truncation", Truncation.values()),
            section.choice("special-tokens", SpecialTokens.values())),
        section.integer("max-source-length", 3, 1 << 20),
        section.integer("max-target-length", 3, 1 << 20),
        section.number("max-rejected-share", 0, 1.000001),
        section.flag("shuffle"));
  }
}
