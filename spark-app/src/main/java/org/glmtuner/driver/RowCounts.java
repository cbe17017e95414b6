package org.glmtuner.driver;

import java.io.Serializable;
import java.util.Locale;
import org.glmtuner.data.CutSample;

/**
 * What became of rows.
 *
 * @param empty rows without prompt or response, which the official recipe passes over
 * @param cutPrompts samples whose prompt was longer than {@code data.max-source-length} lets it be
 * @param promptTokens that were cut off these
 * @param cutResponses as for prompts, by {@code data.max-target-length}
 */
record RowCounts(
    long samples,
    long malformed,
    long empty,
    long cutPrompts,
    long promptTokens,
    long cutResponses,
    long responseTokens)
    implements Serializable {

  static final RowCounts NONE = new RowCounts(0, 0, 0, 0, 0, 0, 0);
  private static final CutSample NOTHING_CUT = new CutSample(null, 0, 0);

  static RowCounts of(JudgedRow<?> row) {
    CutSample cut = row.value() instanceof CutSample sample ? sample : NOTHING_CUT;
    return new RowCounts(
        row.value() != null ? 1 : 0,
        row.isMalformed() ? 1 : 0,
        row.isEmpty() ? 1 : 0,
        cut.promptCut() > 0 ? 1 : 0,
        cut.promptCut(),
        cut.responseCut() > 0 ? 1 : 0,
        cut.responseCut());
  }

  RowCounts plus(RowCounts other) {
    return new RowCounts(
        samples + other.samples,
        malformed + other.malformed,
        empty + other.empty,
        cutPrompts + other.cutPrompts,
        promptTokens + other.promptTokens,
        cutResponses + other.cutResponses,
        responseTokens + other.responseTokens);
  }

  /** For the user, who wants to know how much of the texts is lost. */
  @Override
  public String toString() {
    return samples
        + " samples, "
        + malformed
        + " malformed rows, "
        + empty
        + " empty ones"
        + cut(cutPrompts, "prompts", promptTokens, "data.max-source-length")
        + cut(cutResponses, "responses", responseTokens, "data.max-target-length");
  }

  private static String cut(long texts, String what, long tokens, String key) {
    return texts == 0
        ? ""
        : String.format(
            Locale.ROOT,
            "; %d %s lose %.1f tokens each (%s)",
            texts,
            what,
            (double) tokens / texts,
            key);
  }
}
