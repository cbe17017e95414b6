package org.glmtuner.evaluation;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * Scores predictions as {@code compute_metrics} of the official script does. Immutable; threads
 * share it.
 */
public final class Scorer {
  private static final Scores NOTHING = new Scores(0, 0, 0, 0);

  private final Segmenter segmenter;

  public Scorer(Segmenter segmenter) {
    this.segmenter = segmenter;
  }

  /**
   * The scores of one prediction, each rounded to four decimals. Where either text has nothing but
   * white space all are 0; the official script raises an error there.
   */
  public Scores score(Prediction prediction) {
    if (Rouge.isBlank(prediction.predict()) || Rouge.isBlank(prediction.labels())) {
      return NOTHING;
    }
    Rouge rouge = Rouge.of(segmenter.cut(prediction.predict()), segmenter.cut(prediction.labels()));
    return new Scores(
        percent(rouge.rouge1()),
        percent(rouge.rouge2()),
        percent(rouge.rougeL()),
        percent(Bleu.of(prediction.predict(), prediction.labels())));
  }

  /** As Python's {@code round(share * 100, 4)}: of the number that the bits stand for. */
  private static double percent(double share) {
    return new BigDecimal(share * 100).setScale(4, RoundingMode.HALF_EVEN).doubleValue();
  }
}
