package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmenterTest {
  private static final Segmenter JIEBA = Segmenter.load();

  /** Knows these words; every count must keep the sum of all. */
  private static Segmenter with(String... lines) {
    return new Segmenter(
        WordList.parse(String.join("\n", lines) + "\n"), new PositionModel("start S 0".lines()));
  }

  @Test
  void takesTheLikeliestWayThroughTheDictionary() {
    assertThat(JIEBA.cut("我来到北京清华大学")).containsExactly("我", "来到", "北京", "清华大学");
  }

  @Test
  void joinsCharactersThatTheDictionaryLeavesAlone() {
    assertThat(JIEBA.cut("他来到了网易杭研大厦")).containsExactly("他", "来到", "了", "网易", "杭研", "大厦");
  }

  @Test
  void aProductOfProbabilitiesDecides() {
    // 甲乙|丙 has 20 · 3 = 60 of 100², 甲|乙丙 has 5 · 10 = 50
    assertThat(with("100", "丙 3", "乙丙 10", "甲 5", "甲乙 20").cut("甲乙丙")).containsExactly("甲乙", "丙");
    // now 5 · 13 = 65
    assertThat(with("100", "丙 3", "乙丙 13", "甲 5", "甲乙 20").cut("甲乙丙")).containsExactly("甲", "乙丙");
  }

  @Test
  void ofEquallyLikelyWaysTheLongerFirstWordWins() {
    assertThat(with("100", "丙 7", "乙丙 9", "甲 7", "甲乙 9").cut("甲乙丙")).containsExactly("甲乙", "丙");
  }

  @Test
  void aCharacterThatBeginsNoWordCountsAsSeenOnce() {
    // 甲乙 has 1 of 10; as two characters, each seen once, it would have 1 of 100
    assertThat(with("10", "甲乙 1").cut("甲乙")).containsExactly("甲乙");
    // 甲 begins a word, so it is no word by itself unless there is no other way on
    assertThat(with("10", "甲乙 1").cut("甲丁")).containsExactly("甲", "丁");
  }

  @Test
  void charactersThatAreLikelierThanTheirWordStayAlone() {
    assertThat(with("100", "乙 50", "甲 50", "甲乙 1").cut("甲乙")).containsExactly("甲", "乙");
  }

  @Test
  void lettersAndNumbersAreWords() {
    assertThat(JIEBA.cut("logo印花95.5%棉")).containsExactly("logo", "印花", "95.5%", "棉");
    assertThat(JIEBA.cut("v1.2.3-beta")).containsExactly("v1.2", ".", "3", "-", "beta");
  }

  @Test
  void whatIsNoPartOfWordsStandsAlone() {
    assertThat(JIEBA.cut("，，\r\n\n  𠀀😀é"))
        .containsExactly("，", "，", "\r\n", "\n", " ", " ", "𠀀", "😀", "é");
  }

  @Test
  void anEmptyTextHasNoWords() {
    assertThat(JIEBA.cut("")).isEmpty();
  }

  @Property(tries = 300)
  void wordsTogetherAreTheText(@ForAll String text) {
    assertThat(String.join("", JIEBA.cut(text))).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"龢龢", "鑫", "杭研网", "衬托小尖"})
  void wordsOfUnknownCharactersAreTheTextToo(String text) {
    List<String> words = JIEBA.cut(text);
    assertThat(String.join("", words)).isEqualTo(text);
  }
}
