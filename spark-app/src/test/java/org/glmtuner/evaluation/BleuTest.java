package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class BleuTest {
  private static final Offset<Double> ROUNDING = within(1e-15);

  private static double root4(double product) {
    return Math.pow(product, 1. / 4);
  }

  @Test
  void theSameTextIsOne() {
    assertThat(Bleu.of("黑色连衣裙", "黑色连衣裙")).isEqualTo(1);
  }

  @Test
  void sharesOfSequencesAreMultiplied() {
    // abcde against abcdx: 4 of 5, 3 of 4, 2 of 3, 1 of 2
    assertThat(Bleu.of("abcde", "abcdx")).isCloseTo(root4(4. / 5 * 3 / 4 * 2 / 3 / 2), ROUNDING);
  }

  @Test
  void aShorterHypothesisIsPenalised() {
    assertThat(Bleu.of("abcd", "abcdefgh")).isCloseTo(Math.exp(1 - 8. / 4), ROUNDING);
  }

  @Test
  void aLongerHypothesisIsNot() {
    // 4 of 5, 3 of 4, 2 of 3, 1 of 2
    assertThat(Bleu.of("abcde", "abcd")).isCloseTo(root4(1. / 5), ROUNDING);
  }

  @Test
  void repeatsCountAsOftenAsTheReferenceHasThem() {
    // aaaa against aab: 2 of 4 a, 1 of 3 aa, none of 2 aaa, none of 1 aaaa
    assertThat(Bleu.of("aaaa", "aab")).isCloseTo(root4(2. / 4 / 3 / (2 * 2) / 4), ROUNDING);
  }

  @Test
  void ordersWithoutAMatchAreHalvedFurtherEachTime() {
    // abcd against axcx: 2 of 4; none of 3, 2 and 1 count as 1/2, 1/4, 1/8
    double product = 2. / 4 / (2 * 3) / (4 * 2) / 8;
    assertThat(Bleu.of("abcd", "axcx")).isCloseTo(root4(product), ROUNDING);
  }

  @Test
  void ordersLongerThanTheHypothesisCountAsOneWithoutAMatch() {
    // 甲乙 against 甲乙丙: 2 of 2, 1 of 1; orders 3 and 4 have none: 1/2 and 1/4 of 1
    double expected = Math.exp(1 - 3. / 2) * root4(1. / 8);
    assertThat(Bleu.of("甲乙", "甲乙丙")).isCloseTo(expected, ROUNDING);
  }

  @Test
  void withoutACommonCharacterItIsZero() {
    assertThat(Bleu.of("abc", "xyz")).isZero();
    assertThat(Bleu.of("", "xyz")).isZero();
    assertThat(Bleu.of("abc", "")).isZero();
  }

  @Test
  void aCharacterOutsideTheBasicPlaneIsOne() {
    // one of two characters; as UTF-16 it would be two of three
    assertThat(Bleu.of("😀a", "😀b")).isCloseTo(root4(1. / 2 / 2 / 4 / 8), ROUNDING);
  }
}
