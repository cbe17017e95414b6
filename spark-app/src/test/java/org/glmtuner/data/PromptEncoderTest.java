package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.glmtuner.config.DataConfig.EmptyHistory;
import org.glmtuner.config.DataConfig.Truncation;
import org.junit.jupiter.api.Test;

class PromptEncoderTest {
  private static final List<Turn> TURNS = List.of(new Turn("a", "b"), new Turn("c", "d"));

  /** One id per character. */
  private static PromptEncoder encoder(EmptyHistory emptyHistory, Truncation truncation) {
    return new PromptEncoder(text -> text.codePoints().toArray(), "P:", emptyHistory, truncation);
  }

  private static String text(EncodedText encoded) {
    return new String(encoded.ids(), 0, encoded.ids().length);
  }

  private static String encode(Truncation truncation, Question question, int limit) {
    return text(encoder(EmptyHistory.OFFICIAL, truncation).encode(question, limit));
  }

  @Test
  void countsRoundsFromZero() {
    assertThat(encode(Truncation.OFFICIAL, new Question("e", TURNS, true), 99))
        .isEqualTo("P:[Round 0]\n问：a\n答：b\n[Round 1]\n问：c\n答：d\n[Round 2]\n问：e\n答：");
  }

  @Test
  void leavesQueriesAloneWhereThereIsNoHistoryColumn() {
    assertThat(encode(Truncation.OFFICIAL, Question.of("e"), 99)).isEqualTo("P:e");
  }

  @Test
  void anEmptyHistoryMakesARoundOnlyInOfficialTraining() {
    Question question = new Question("e", List.of(), true);
    assertThat(encode(Truncation.OFFICIAL, question, 99)).isEqualTo("P:[Round 0]\n问：e\n答：");
    PromptEncoder raw = encoder(EmptyHistory.RAW, Truncation.OFFICIAL);
    assertThat(text(raw.encode(question, 99))).isEqualTo("P:e");
    assertThat(text(raw.encode(new Question("e", TURNS.subList(1, 2), true), 99)))
        .isEqualTo("P:[Round 0]\n问：c\n答：d\n[Round 1]\n问：e\n答：");
  }

  @Test
  void officialTruncationLosesTheNewestQuery() {
    EncodedText encoded =
        encoder(EmptyHistory.OFFICIAL, Truncation.OFFICIAL)
            .encode(new Question("e", TURNS, true), 26);
    assertThat(text(encoded)).isEqualTo("P:[Round 0]\n问：a\n答：b\n[Round");
    assertThat(encoded.cut()).isEqualTo(28);
  }

  @Test
  void oldestTurnsGoFirstWhenAsked() {
    Question question = new Question("efghi", TURNS, true);
    String whole = encode(Truncation.OLDEST, question, 58);
    assertThat(whole).hasSize(58).contains("a", "c", "efghi");
    assertThat(encode(Truncation.OLDEST, question, 57))
        .isEqualTo("P:[Round 0]\n问：c\n答：d\n[Round 1]\n问：efghi\n答：");
    assertThat(encode(Truncation.OLDEST, question, 22)).isEqualTo("P:[Round 0]\n问：efghi\n答：");
    assertThat(encode(Truncation.OLDEST, question, 21)).isEqualTo("P:[Round 0]\n问：fghi\n答：");
    assertThat(encode(Truncation.OLDEST, question, 17)).isEqualTo("P:[Round 0]\n问：\n答：");
    assertThat(encode(Truncation.OLDEST, question, 5)).isEqualTo("P:[Ro");
  }

  @Test
  void aQueryThatStandsAloneKeepsItsHead() {
    assertThat(encode(Truncation.OLDEST, Question.of("efgh"), 4)).isEqualTo("P:ef");
  }

  @Property
  void nothingIsLongerThanTheLimitAndWhatIsCutIsCounted(
      @ForAll @Size(max = 3) List<@StringLength(max = 5) String> texts,
      @ForAll @StringLength(min = 1, max = 20) String query,
      @ForAll @IntRange(min = 0, max = 60) int limit,
      @ForAll Truncation truncation) {
    List<Turn> turns = texts.stream().map(text -> new Turn(text, text)).toList();
    PromptEncoder encoder = encoder(EmptyHistory.OFFICIAL, truncation);
    Question question = new Question(query, turns, true);
    EncodedText whole = encoder.encode(question, Integer.MAX_VALUE);
    EncodedText encoded = encoder.encode(question, limit);
    assertThat(encoded.ids()).hasSizeLessThanOrEqualTo(limit);
    assertThat(encoded.ids().length + encoded.cut()).isEqualTo(whole.ids().length);
    assertThat(whole.cut()).isZero();
  }
}
