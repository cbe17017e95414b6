package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class PositionModelTest {
  private static final PositionModel JIEBA = PositionModel.load();

  private static List<String> cut(PositionModel model, String run) {
    List<String> words = new ArrayList<>();
    model.cut(run, words);
    return words;
  }

  @Test
  void aSingleCharacterIsAWord() {
    assertThat(cut(JIEBA, "杭")).containsExactly("杭");
  }

  @Test
  void thePathEndsWithAWord() {
    // 乙 could only be the middle of a word, which the end of the run forbids
    PositionModel model =
        new PositionModel(
            "start B 0\ntrans B M 0\ntrans B E -5\nemit B 甲 0\nemit M 乙 0\nemit E 乙 -9".lines());
    assertThat(cut(model, "甲乙")).containsExactly("甲乙");
  }

  @Test
  void ofEquallyLikelyPathsTheOneWithLaterLettersWins() {
    // BE and SS are worth the same; S comes after E
    PositionModel model =
        new PositionModel(
            "start B -1\nstart S -1\ntrans B E -1\ntrans S S -1\nemit B 甲 0\nemit S 甲 0\nemit E 乙 0\nemit S 乙 0"
                .lines());
    assertThat(cut(model, "甲乙")).containsExactly("甲", "乙");
  }

  @Provide
  Arbitrary<String> runs() {
    return Arbitraries.strings().withCharRange('\u4e00', '\u9fd5').ofMinLength(1).ofMaxLength(40);
  }

  @Property(tries = 300)
  void wordsTogetherAreTheRun(@ForAll("runs") String run) {
    assertThat(String.join("", cut(JIEBA, run))).isEqualTo(run);
  }
}
