package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class WordListTest {
  private static final WordList WORDS = WordList.parse("10\n戊 3\n甲 1\n甲丁 1\n甲乙 2\n甲乙丙 3\n");

  @Test
  void theDictionaryOfJiebaIsWhole() {
    WordList jieba = WordList.load();
    // 349046 lines, one of which comes twice; counts are out of 60101967
    assertThat(jieba.size()).isEqualTo(349045);
    assertThat(jieba.logProbabilityOfUnknown()).isCloseTo(-17.9115, within(1e-4));
    assertThat(jieba.contains("1号店")).isTrue();
    assertThat(jieba.contains("龟")).isTrue();
    assertThat(jieba.contains("连衣裙")).isTrue();
    assertThat(jieba.contains("连衣裙子")).isFalse();
  }

  @Test
  void aWalkFindsTheWordsOnItsWay() {
    WordList.Walk walk = WORDS.new Walk();
    assertThat(walk.advance('甲')).isTrue();
    assertThat(walk.atWord()).isTrue();
    assertThat(walk.logProbability()).isEqualTo(Math.log(1) - Math.log(10));
    assertThat(walk.advance('乙')).isTrue();
    assertThat(walk.logProbability()).isEqualTo(Math.log(2) - Math.log(10));
    assertThat(walk.advance('丙')).isTrue();
    assertThat(walk.atWord()).isTrue();
    assertThat(walk.advance('丙')).isFalse();
    assertThat(walk.atWord()).isFalse();
    walk.restart();
    assertThat(walk.advance('戊')).isTrue();
    assertThat(walk.atWord()).isTrue();
  }

  @Test
  void theStartOfAWordIsNoWord() {
    WordList words = WordList.parse("5\n乙丙 5\n");
    WordList.Walk walk = words.new Walk();
    assertThat(walk.advance('乙')).isTrue();
    assertThat(walk.atWord()).isFalse();
    assertThat(words.contains("乙")).isFalse();
    assertThat(words.contains("")).isFalse();
  }
}
