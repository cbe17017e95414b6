package org.glmtuner.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against values worked out by hand from the definitions of Hugging Face transformers 4.27.1. */
class LogitsWarpersTest {
  private static final float GONE = Float.NEGATIVE_INFINITY;

  private static BitSet ids(int... ids) {
    BitSet set = new BitSet();
    IntStream.of(ids).forEach(set::set);
    return set;
  }

  /** Scores whose soft-max these probabilities are. */
  private static float[] scores(double... probabilities) {
    float[] scores = new float[probabilities.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) Math.log(probabilities[i]);
    }
    return scores;
  }

  private static int[] topK(int k, float... scores) {
    LogitsWarpers.keepTopK(scores, k);
    return left(scores);
  }

  private static int[] topP(double p, float... scores) {
    LogitsWarpers.keepTopP(scores, p);
    return left(scores);
  }

  private static int[] left(float[] scores) {
    return IntStream.range(0, scores.length).filter(i -> scores[i] > GONE).toArray();
  }

  @Test
  void thePenaltyDividesWhatIsPositiveAndMultipliesWhatIsNegative() {
    float[] scores = {2, -2, 3, 0, -1};
    LogitsWarpers.penalise(scores, ids(0, 1, 3), 2);
    assertThat(scores).containsExactly(1, -4, 3, 0, -1);
    LogitsWarpers.penalise(scores, ids(0, 1), 0.5f);
    assertThat(scores).containsExactly(2, -2, 3, 0, -1);
  }

  @Test
  void theTemperatureDivides() {
    float[] scores = {1, -2, 0};
    LogitsWarpers.divide(scores, 0.5f);
    assertThat(scores).containsExactly(2, -4, 0);
  }

  @Test
  void topKKeepsTheLargestAndWhatEqualsTheLastOfThem() {
    assertThat(topK(1, 1, 5, 3, 3, 2)).containsExactly(1);
    assertThat(topK(2, 1, 5, 3, 3, 2)).containsExactly(1, 2, 3);
    assertThat(topK(3, 1, 5, 3, 3, 2)).containsExactly(1, 2, 3);
    assertThat(topK(4, 1, 5, 3, 3, 2)).containsExactly(1, 2, 3, 4);
    assertThat(topK(9, 1, 5, 3, 3, 2)).hasSize(5);
  }

  @Test
  void topPDropsTheTailWhoseProbabilitiesSumUpToNoMoreThanTheRest() {
    double[] probabilities = {0.3, 0.1, 0.4, 0.2}; // ascending sums: .1, .3, .6, 1
    assertThat(topP(0.95, scores(probabilities))).containsExactly(0, 1, 2, 3);
    assertThat(topP(0.75, scores(probabilities))).containsExactly(0, 2, 3);
    assertThat(topP(0.6, scores(probabilities))).containsExactly(0, 2);
    assertThat(topP(0.3, scores(probabilities))).containsExactly(2);
  }

  @Test
  void topPKeepsTheMostProbableWhateverHappens() {
    assertThat(topP(1e-9, scores(0.3, 0.1, 0.4, 0.2))).containsExactly(2);
    assertThat(topP(1e-9, 7, 7, 7)).containsExactly(2);
    assertThat(topP(0.5, GONE, 3, GONE)).containsExactly(1);
  }

  @Test
  void topPTakesOfEqualsTheLowerIdsAway() {
    assertThat(topP(0.6, 1, 1, 1, 1)).containsExactly(1, 2, 3); // .25 of .4
    assertThat(topP(0.3, -2, -2, -2, -2)).containsExactly(2, 3); // .25 and .5 of .7
    assertThat(topP(0.6, 0.0f, -0.0f, 0.0f, -0.0f)).containsExactly(1, 2, 3); // all zero
  }

  @Test
  void topPLeavesOutWhatHasDroppedOutBefore() {
    float[] scores = scores(0.4, 0.3, 0.2, 0.1);
    LogitsWarpers.keepTopK(scores, 2); // .571 and .429 of what is left
    LogitsWarpers.keepTopP(scores, 0.5);
    assertThat(left(scores)).containsExactly(0);
  }

  @Test
  void theLargestIsTheFirstOfEquals() {
    assertThat(LogitsWarpers.largest(new float[] {-3, 2, 2, 1})).isEqualTo(1);
    assertThat(LogitsWarpers.largest(new float[] {-3, -3})).isZero();
  }

  @Test
  void drawingFollowsTheCumulatedProbabilities() {
    float[] scores = scores(0.1, 0.2, 0.3, 0.4);
    assertThat(LogitsWarpers.draw(scores, 0)).isZero();
    assertThat(LogitsWarpers.draw(scores, 0.09)).isZero();
    assertThat(LogitsWarpers.draw(scores, 0.11)).isEqualTo(1);
    assertThat(LogitsWarpers.draw(scores, 0.29)).isEqualTo(1);
    assertThat(LogitsWarpers.draw(scores, 0.31)).isEqualTo(2);
    assertThat(LogitsWarpers.draw(scores, 0.61)).isEqualTo(3);
    assertThat(LogitsWarpers.draw(scores, Math.nextDown(1.0))).isEqualTo(3);
    scores[3] = GONE; // .167, .333, .5
    scores[0] = GONE; // .4, .6
    assertThat(LogitsWarpers.draw(scores, 0)).isEqualTo(1);
    assertThat(LogitsWarpers.draw(scores, 0.39)).isEqualTo(1);
    assertThat(LogitsWarpers.draw(scores, 0.41)).isEqualTo(2);
    assertThat(LogitsWarpers.draw(scores, Math.nextDown(1.0))).isEqualTo(2);
  }

  @Test
  void largeScoresDoNotOverflow() {
    assertThat(LogitsWarpers.draw(new float[] {3e38f, 3e38f, -3e38f}, 0.75)).isEqualTo(1);
    assertThat(topP(0.4, 3e38f, 3e38f, -3e38f)).containsExactly(1);
  }
}
