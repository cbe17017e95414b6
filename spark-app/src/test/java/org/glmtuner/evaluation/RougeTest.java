package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class RougeTest {
  private static Rouge of(String hypothesis, String reference) {
    return Rouge.of(List.of(hypothesis.split(" ", -1)), List.of(reference.split(" ", -1)));
  }

  private static void assertF(double actual, double precision, double recall) {
    assertThat(actual)
        .isCloseTo(2 * precision * recall / (precision + recall + 1e-8), within(1e-15));
  }

  @Test
  void commonWordsAndPairsAreCounted() {
    Rouge rouge = of("a b c d", "a b x d e");
    assertF(rouge.rouge1(), 3. / 4, 3. / 5);
    assertF(rouge.rouge2(), 1. / 3, 1. / 4); // a b
    assertF(rouge.rougeL(), 3. / 4, 3. / 5); // a b d
  }

  @Test
  void repeatsCountOnceExceptInTheSubsequence() {
    Rouge rouge = of("a a a a b", "a b a");
    assertF(rouge.rouge1(), 1, 1);
    assertF(rouge.rouge2(), 1. / 2, 1. / 2); // aa, ab against ab, ba
    assertF(rouge.rougeL(), 2. / 5, 2. / 3);
  }

  @Test
  void theSubsequenceKeepsTheOrder() {
    Rouge rouge = of("c b a", "a b c");
    assertF(rouge.rouge1(), 1, 1);
    assertThat(rouge.rouge2()).isZero();
    assertF(rouge.rougeL(), 1. / 3, 1. / 3);
  }

  @Test
  void nothingInCommonIsZero() {
    assertThat(of("a b", "c d")).isEqualTo(new Rouge(0, 0, 0));
  }

  @Test
  void oneWordHasNoPairs() {
    assertThat(of("a", "a").rouge2()).isZero();
  }

  @Test
  void anEmptyTextIsZero() {
    assertThat(Rouge.of(List.of(), List.of("a"))).isEqualTo(new Rouge(0, 0, 0));
    assertThat(Rouge.of(List.of("a"), List.of("\n"))).isEqualTo(new Rouge(0, 0, 0));
  }

  @Test
  void whiteSpaceIsNoWord() {
    assertThat(Rouge.words(List.of("\u3000", "a", " ", " ", "b", "\t", "。", " ")))
        .containsExactly("a", "b", "。");
  }

  @Test
  void theOrderOfSentencesCounts() {
    Rouge rouge = of("a 。 b 。", "b 。 a 。");
    assertF(rouge.rouge1(), 1, 1);
    assertF(rouge.rougeL(), 2. / 4, 2. / 4);
  }

  @Test
  void aBlankSentenceBetweenOthersIsAnEmptyWord() {
    assertThat(Rouge.words(List.of("a", "\n", "\n", "b"))).containsExactly("a", "", "b");
    assertThat(Rouge.words(List.of("a", "\n", "b", "\n", "\n"))).containsExactly("a", "b");
  }

  @Test
  void sixDotsEndASentenceEvenInsideAWord() {
    assertThat(Rouge.words(List.of("a", ".......", "b"))).containsExactly("a", "......", ".", "b");
  }

  @Test
  void textsWithoutWordsAreBlank() {
    assertThat(Rouge.isBlank("")).isTrue();
    assertThat(Rouge.isBlank(" \n\u3000\u00a0\u001f")).isTrue();
    assertThat(Rouge.isBlank("\u200b")).isFalse(); // Python takes it for a letter
    assertThat(Rouge.isBlank("。")).isFalse();
  }
}
