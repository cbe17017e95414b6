package org.glmtuner.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;
import org.glmtuner.config.GenerationConfig.Sampling;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class TokenSamplerTest {
  private static final Sampling GREEDY = new Sampling(false, 0.5, 1, 0.1, 1, 42);
  private static final Sampling PLAIN = new Sampling(true, 1, 0, 1, 1, 42);
  private static final int DRAWS = 20_000;

  private static int next(Sampling sampling, float[] logits, BitSet seen, long prompt, int step) {
    return new TokenSampler(sampling, logits.length)
        .next(logits, 0, seen, new Prompt(prompt, new int[0]), step);
  }

  private static float[] logits(double... probabilities) {
    float[] logits = new float[probabilities.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(probabilities[i]);
    }
    return logits;
  }

  /** How often each token is drawn, as shares. */
  private static double[] shares(Sampling sampling, float... logits) {
    double[] shares = new double[logits.length];
    for (int i = 0; i < DRAWS; i++) {
      shares[next(sampling, logits, new BitSet(), i / 100, i % 100)] += 1.0 / DRAWS;
    }
    return shares;
  }

  private static void assertShares(double[] shares, double... expected) {
    assertThat(shares).hasSameSizeAs(expected);
    for (int i = 0; i < shares.length; i++) {
      if (expected[i] == 0) {
        assertThat(shares[i]).as("token %d", i).isZero();
      }
      assertThat(Math.abs(shares[i] - expected[i])).as("token %d", i).isLessThan(0.015);
    }
  }

  @Test
  void greedyTakesTheMostProbableAfterThePenaltyAndNothingElse() {
    BitSet seen = new BitSet();
    assertThat(next(GREEDY, new float[] {4, 3, 2, 1}, seen, 0, 0)).isZero();
    seen.set(0);
    assertThat(next(GREEDY, new float[] {4, 3, 2, 1}, seen, 0, 0)).isZero();
    Sampling penalised = new Sampling(false, 0.5, 1, 0.1, 2, 42);
    assertThat(next(penalised, new float[] {4, 3, 2, 1}, seen, 0, 0)).isEqualTo(1);
  }

  @Test
  void theRowOfTheLogitsIsReadAndLeftAsItIs() {
    float[] logits = {1, 0, 0, 0, 0, 1};
    float[] copy = logits.clone();
    TokenSampler sampler = new TokenSampler(new Sampling(true, 0.5, 1, 0.5, 2, 1), 3);
    assertThat(sampler.next(logits, 1, new BitSet(), new Prompt(0, new int[0]), 0)).isEqualTo(2);
    assertThat(logits).containsExactly(copy);
  }

  @Test
  void drawingFollowsTheSoftMax() {
    assertShares(shares(PLAIN, logits(0.1, 0.6, 0.3)), 0.1, 0.6, 0.3);
  }

  @Test
  void thePenaltyComesBeforeTopK() {
    float[] logits = {4, 3, 2, 1}; // 2, 3, 2, 1 after the penalty
    BitSet seen = new BitSet();
    seen.set(0);
    Sampling sampling = new Sampling(true, 1, 1, 1, 2, 42);
    for (int step = 0; step < 100; step++) {
      assertThat(next(sampling, logits, seen, 0, step)).isEqualTo(1);
    }
  }

  @Test
  void theTemperatureComesBeforeTopP() {
    // Squared: .533, .3, .133, .033; the last three sum up to .467 of .5. Unsquared, .3 would stay.
    Sampling sampling = new Sampling(true, 0.5, 0, 0.5, 1, 42);
    assertShares(shares(sampling, logits(0.4, 0.3, 0.2, 0.1)), 1, 0, 0, 0);
  }

  @Test
  void topKComesBeforeTopP() {
    // Of the two that stay, .429 is within .5. Before top-k, .1 + .2 + .3 would not be.
    Sampling sampling = new Sampling(true, 1, 2, 0.5, 1, 42);
    assertShares(shares(sampling, logits(0.4, 0.3, 0.2, 0.1)), 1, 0, 0, 0);
  }

  @Test
  void allTogetherGiveTheProbabilitiesWorkedOutByHand() {
    // T = 1/2 squares .4 .3 .2 .1; of the three largest .09 and .16 and .04: shares .552 .310 .138;
    // top-p .8 drops .138, for it is within .2: .64 and .36 are left.
    Sampling sampling = new Sampling(true, 0.5, 3, 0.8, 1, 7);
    assertShares(shares(sampling, logits(0.4, 0.3, 0.2, 0.1)), 0.64, 0.36, 0, 0);
  }

  @Test
  void whatIsDrawnDependsOnSeedPromptAndStepOnly() {
    float[] even = new float[1000];
    int[] first = IntStream.range(0, 50).map(i -> next(PLAIN, even, new BitSet(), 3, i)).toArray();
    int[] again = IntStream.range(0, 50).map(i -> next(PLAIN, even, new BitSet(), 3, i)).toArray();
    int[] other = IntStream.range(0, 50).map(i -> next(PLAIN, even, new BitSet(), 4, i)).toArray();
    Sampling seeded = new Sampling(true, 1, 0, 1, 1, 43);
    int[] third = IntStream.range(0, 50).map(i -> next(seeded, even, new BitSet(), 3, i)).toArray();
    assertThat(again).containsExactly(first);
    assertThat(Arrays.stream(first).distinct().count()).isGreaterThan(40);
    assertThat(other).isNotEqualTo(first);
    assertThat(third).isNotEqualTo(first);
  }

  @Test
  void randomNumbersAreUniform() {
    int[] counts = new int[20];
    for (int prompt = 0; prompt < 1000; prompt++) {
      for (int step = 0; step < 20; step++) {
        double uniform = TokenSampler.uniform(1, prompt, step);
        assertThat(uniform).isBetween(0.0, Math.nextDown(1.0));
        counts[(int) (20 * uniform)]++;
      }
    }
    for (int count : counts) {
      assertThat(count).isBetween(870, 1130); // four standard deviations
    }
  }

  @Test
  void aLogitThatIsNotFiniteIsAnErrorThatNamesThePrompt() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      for (Sampling sampling : new Sampling[] {GREEDY, PLAIN}) {
        assertThatThrownBy(() -> next(sampling, new float[] {1, bad, 2}, new BitSet(), 11, 5))
            .isInstanceOfSatisfying(
                TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DIVERGED))
            .hasMessage(
                "Cannot complete prompt 12: the logit of token 1 is "
                    + bad
                    + " after 5 new tokens");
      }
    }
  }
}
