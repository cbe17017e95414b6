package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  private static final Scorer SCORER = new Scorer(Segmenter.load());

  private static Evaluation of(Prediction... predictions) {
    Evaluation.Summary summary = new Evaluation.Summary(SCORER);
    for (Prediction prediction : predictions) {
      summary.add(prediction);
    }
    return summary.evaluation();
  }

  @Test
  void eachScoreIsRoundedBeforeTheMeanIsTaken() {
    // ROUGE-1 of a b c against a: 2·(1/3)/(4/3) = 0.5 but for 1e-8; of a against b c: 0
    Evaluation evaluation = of(new Prediction("a", "a b c"), new Prediction("b c", "a"));
    assertThat(evaluation.mean().rouge1()).isEqualTo(25);
    // a b against a b c: 2·(2/3)/(5/3) = 0.8; with the 0.5 it is 65
    assertThat(of(new Prediction("a", "a b c"), new Prediction("a b c", "a b")).mean().rouge1())
        .isEqualTo(65);
  }

  @Test
  void aBlankPredictionScoresZeroEvenWhereTheReferenceHasItsBlanks() {
    Evaluation evaluation = of(new Prediction("黑色 裙", " "), new Prediction("裙", "裙"));
    assertThat(SCORER.score(new Prediction("黑色 裙", " "))).isEqualTo(new Scores(0, 0, 0, 0));
    assertThat(evaluation.samples()).isEqualTo(2);
    assertThat(evaluation.emptyPredictions()).isEqualTo(1);
    assertThat(evaluation.emptyLabels()).isZero();
    assertThat(evaluation.mean().rouge1()).isEqualTo(50);
  }

  @Test
  void aBlankReferenceIsCountedApart() {
    Evaluation evaluation = of(new Prediction("\n", "裙"));
    assertThat(evaluation.emptyPredictions()).isZero();
    assertThat(evaluation.emptyLabels()).isEqualTo(1);
    assertThat(evaluation.mean()).isEqualTo(new Scores(0, 0, 0, 0));
  }

  @Test
  void nothingHasNoMean() {
    assertThatThrownBy(EvaluationTest::of)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot evaluate: there are no predictions");
  }

  @Test
  void resultsAreWrittenAsTheOfficialTrainerDoes() {
    Evaluation evaluation = new Evaluation(3, 1, 0, new Scores(31.12, 7.11, 24.97, 8.1));
    assertThat(PredictResults.json(evaluation, Optional.of(Duration.ofMillis(1500))))
        .isEqualTo(
            """
            {
                "predict_bleu-4": 8.1,
                "predict_rouge-1": 31.12,
                "predict_rouge-2": 7.11,
                "predict_rouge-l": 24.97,
                "predict_runtime": 1.5,
                "predict_samples": 3,
                "predict_samples_per_second": 2.0
            }""");
    assertThat(PredictResults.json(evaluation, Optional.empty()))
        .contains("predict_samples")
        .doesNotContain("predict_runtime", "per_second");
  }
}
