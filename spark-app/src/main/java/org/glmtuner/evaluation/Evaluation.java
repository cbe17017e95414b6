package org.glmtuner.evaluation;

/**
 * How a set of predictions did.
 *
 * @param samples number of predictions
 * @param emptyPredictions of these, with nothing but white space predicted: scored 0
 * @param emptyLabels with nothing but white space wanted: scored 0
 * @param mean plain mean of the scores of all
 */
public record Evaluation(long samples, long emptyPredictions, long emptyLabels, Scores mean) {

  /** Sums up predictions, in their order. For one thread. */
  public static final class Summary {
    private final Scorer scorer;
    private long samples;
    private long emptyPredictions;
    private long emptyLabels;
    private double rouge1;
    private double rouge2;
    private double rougeL;
    private double bleu4;

    public Summary(Scorer scorer) {
      this.scorer = scorer;
    }

    public void add(Prediction prediction) {
      Scores scores = scorer.score(prediction);
      samples++;
      emptyPredictions += Rouge.isBlank(prediction.predict()) ? 1 : 0;
      emptyLabels += Rouge.isBlank(prediction.labels()) ? 1 : 0;
      rouge1 += scores.rouge1();
      rouge2 += scores.rouge2();
      rougeL += scores.rougeL();
      bleu4 += scores.bleu4();
    }

    /** Whether nothing was added. */
    public boolean isEmpty() {
      return samples == 0;
    }

    /**
     * Of all that was added.
     *
     * @throws IllegalStateException where that is nothing: it has no mean
     */
    public Evaluation evaluation() {
      if (isEmpty()) {
        throw new IllegalStateException("Cannot evaluate: there are no predictions");
      }
      Scores mean =
          new Scores(rouge1 / samples, rouge2 / samples, rougeL / samples, bleu4 / samples);
      return new Evaluation(samples, emptyPredictions, emptyLabels, mean);
    }
  }
}
