package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.glmtuner.config.DataConfig.Columns;
import org.glmtuner.config.DataConfig.EmptyHistory;
import org.glmtuner.config.DataConfig.Truncation;
import org.glmtuner.model.SpecialIds;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RowParserTest {
  private static final SpecialIds IDS = new SpecialIds(100, 101, 104, 105, 3);
  private static final SampleRules RULES = new SampleRules(IDS, 112, 12);
  private static final RowParser<CutSample> PAIRS =
      RowParser.samples(
          new Columns("content", "summary", "", ""),
          new TrainingRowEncoder(
              new PromptEncoder(
                  text -> text.chars().toArray(), "", EmptyHistory.OFFICIAL, Truncation.OFFICIAL),
              text -> text.chars().toArray(),
              IDS,
              9,
              9),
          RULES);
  private static final RowParser<Sample> TOKENS = RowParser.tokens(RULES);

  @Test
  void readsAPromptAndItsResponse() {
    assertThat(PAIRS.parse(5, "{\"content\":\"1\",\"summary\":\"2\",\"other\":[{}]}"))
        .isEqualTo(
            new RowOutcome.Accepted<>(
                new CutSample(
                    new Sample(
                        5,
                        new int[] {'1', 101, 104, '2', 105},
                        new int[] {-100, -100, 104, '2', 105},
                        2,
                        1),
                    0,
                    0)));
  }

  @Test
  void readsTokensWithPadding() {
    assertThat(
            TOKENS.parse(
                6, "{\"labels\":[-100,-100,104,105,-100],\"input_ids\":[7,101,104,105,3]}"))
        .isEqualTo(
            new RowOutcome.Accepted<>(
                new Sample(
                    6, new int[] {7, 101, 104, 105}, new int[] {-100, -100, 104, 105}, 2, 1)));
  }

  @Test
  void readsOneColumn() {
    RowParser<String> texts = RowParser.texts("content");
    assertThat(texts.parse(0, "{\"content\":\"类型#裤\"}"))
        .isEqualTo(new RowOutcome.Accepted<>("类型#裤"));
    assertThat(texts.parse(0, "{\"content\":\"\"}"))
        .isEqualTo(new RowOutcome.Skipped<>("its column content is empty"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'content':'','summary':'2'} | content",
        "{'content':'1','summary':''} | summary",
        "{'content':null,'summary':'2'} | content",
      })
  void skipsEmptyTextsAsTheOfficialRecipe(String json, String column) {
    assertThat(PAIRS.parse(0, quoted(json)))
        .isEqualTo(new RowOutcome.Skipped<>("its column " + column + " is empty"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'contents':'1','summary':'2'} | it has no column content but contents, summary "
            + "(did you mean contents?)",
        "{'prompt':'1'} | it has no column content but prompt",
        "{} | it has no column content, nor any other",
        "{'content':1,'summary':'2'} | its column content holds the number 1 (a text is needed)",
        "{'content':'1','summary':['2']} | its column summary holds an array (a text is needed)",
        "{'content':'1','summary':true} "
            + "| its column summary holds true or false (a text is needed)",
        "{'content':'\\ud800','summary':'2'} | its column content holds half a surrogate pair",
        "{'content':'z','summary':'2'} | input_ids[0] is 122 (0 to 111)",
        "{'content':'12345678','summary':'1234567'} "
            + "| it has 18 tokens (at most 12, by the model's max_sequence_length)",
        "['1','2'] | it is an array (an object is needed)",
        "null | it is null (an object is needed)",
        "'text' | it is a text (an object is needed)",
      })
  void rejectsPairs(String json, String reason) {
    assertThat(PAIRS.parse(0, quoted(json))).isEqualTo(new RowOutcome.Rejected<>(reason));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'input_ids':[7,104,9],'labels':[-100,-100,9]} "
            + "| it has neither [gMASK] (id 101) nor [MASK] (id 100)",
        "{'input_ids':[7,101,104],'labels':[-100,-100]} | it has 3 input_ids and 2 labels",
        "{'input_ids':[7,101,104.0],'labels':[1,2,3]} | input_ids[2] is the number 104.0 (an integer is needed)",
        "{'input_ids':[7,101,'104'],'labels':[1,2,3]} "
            + "| input_ids[2] is a text (an integer is needed)",
        "{'input_ids':[7,[],9],'labels':[1,2,3]} | input_ids[1] is an array (an integer is needed)",
        "{'input_ids':[7,99999999999],'labels':[1,2]} "
            + "| input_ids[1] is the number 99999999999 (an integer is needed)",
        "{'input_ids':'7','labels':[1]} "
            + "| its column input_ids holds a text (an array of integers is needed)",
        "{'input_ids':[7]} | it has no column labels but input_ids",
        "{'input_ids':[7,101,104,9],'labels':[-100,-100,-100,-100]} | all its labels are masked",
      })
  void rejectsTokens(String json, String reason) {
    assertThat(TOKENS.parse(0, quoted(json))).isEqualTo(new RowOutcome.Rejected<>(reason));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "   ",
        "{'content':'1','summary':'2'} {}",
        "{'content':'1','summary':'2'",
        "{content:'1','summary':'2'}",
        "{'content':'1',}",
        "{'content':NaN}",
        "{'content':'1' 'summary':'2'}",
        "nonsense",
        "{'content':'a\nb'}",
      })
  void rejectsWhatIsNotJson(String json) {
    assertThat(PAIRS.parse(0, quoted(json)))
        .isInstanceOfSatisfying(
            RowOutcome.Rejected.class,
            rejected ->
                assertThat(rejected.reason()).matches("it is not JSON( at line \\d column \\d+)?"));
  }

  @Test
  void rejectsNestingWithoutEnd() {
    assertThat(PAIRS.parse(0, "[".repeat(100_000)))
        .isInstanceOfSatisfying(
            RowOutcome.Rejected.class,
            rejected ->
                assertThat(rejected.reason()).matches("it is not JSON( at line \\d column \\d+)?"));
  }

  @Test
  void decodesBytesStrictlyAndPassesOverAByteOrderMark() {
    byte[] good = "\ufeff{\"content\":\"1\",\"summary\":\"2\"}".getBytes(StandardCharsets.UTF_8);
    assertThat(PAIRS.parse(0, good)).isInstanceOf(RowOutcome.Accepted.class);
    byte[] latin =
        "{\"content\":\"\u00e9\",\"summary\":\"2\"}".getBytes(StandardCharsets.ISO_8859_1);
    assertThat(PAIRS.parse(0, latin)).isEqualTo(new RowOutcome.Rejected<>("it is not UTF-8"));
  }

  private static String quoted(String json) {
    return json.replace('\'', '"');
  }
}
