package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.NumericChars;
import net.jqwik.api.constraints.StringLength;
import org.glmtuner.SharedData;
import org.glmtuner.config.DataConfig.Columns;
import org.glmtuner.config.DataConfig.EmptyHistory;
import org.glmtuner.config.DataConfig.Truncation;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.tokenizer.ChatGlmTokenizer;
import org.junit.jupiter.api.Test;

class TrainingRowEncoderTest {
  private static final int X = Sample.IGNORED;
  private static final SpecialIds IDS = new SpecialIds(100, 101, 104, 105, 3);

  /** One id per character. */
  private static TrainingRowEncoder encoder(int source, int target, String prefix) {
    Function<String, int[]> tokenizer = text -> text.chars().toArray();
    return new TrainingRowEncoder(
        new PromptEncoder(tokenizer, prefix, EmptyHistory.OFFICIAL, Truncation.OFFICIAL),
        tokenizer,
        IDS,
        source,
        target);
  }

  @Test
  void keepsTheHeadOfLongTextsAndCountsTheRest() {
    TrainingRowEncoder.Encoded encoded = encoder(4, 4, "").encode(Question.of("12345"), "67890");
    assertThat(encoded.row().inputIds()).containsExactly('1', '2', '3', 101, 104, '6', '7', 105);
    assertThat(encoded.row().labels()).containsExactly(X, X, X, X, 104, '6', '7', 105);
    assertThat(encoded.promptCut()).isEqualTo(2);
    assertThat(encoded.responseCut()).isEqualTo(3);
  }

  @Test
  void padsOnTheRight() {
    TrainingRow row = encoder(4, 5, "").encodePadded(Question.of("1"), "2");
    assertThat(row.inputIds()).containsExactly('1', 101, 104, '2', 105, 3, 3, 3, 3);
    assertThat(row.labels()).containsExactly(X, X, 104, '2', 105, X, X, X, X);
  }

  @Test
  void putsTheSourcePrefixBeforeThePrompt() {
    assertThat(encoder(9, 9, "ab").encode(Question.of("1"), "2").row().inputIds())
        .containsExactly('a', 'b', '1', 101, 104, '2', 105);
  }

  @Test
  void learningStartsAtTheFirstSopAsInTheOfficialProgram() {
    String sop = Character.toString(104);
    assertThat(encoder(9, 9, "").encode(Question.of("1" + sop + "2"), "3").row().labels())
        .containsExactly(X, 104, '2', 101, 104, '3', 105);
  }

  @Property
  void makesRowsThatLearnTheWholeResponse(
      @ForAll @NumericChars @StringLength(max = 12) String prompt,
      @ForAll @NumericChars @StringLength(max = 12) String response,
      @ForAll @IntRange(min = 1, max = 10) int source,
      @ForAll @IntRange(min = 2, max = 10) int target)
      throws RowException {
    TrainingRow row = encoder(source, target, "").encode(Question.of(prompt), response).row();
    assertThat(row.inputIds()).hasSizeLessThanOrEqualTo(source + target).endsWith(105);
    Sample sample = new SampleRules(IDS, 112, 20).sample(1, row);
    assertThat(sample.length()).as("nothing is cut off").isEqualTo(row.inputIds().length);
    assertThat(sample.contextLength()).isEqualTo(Math.min(prompt.length(), source - 1) + 1);
    assertThat(sample.labelCount()).isEqualTo(Math.min(response.length(), target - 2) + 2);
  }

  @Test
  void refusesLengthsWithoutRoomForTheSpecialTokens() {
    assertThatThrownBy(() -> encoder(0, 5, ""))
        .hasMessage("Invalid lengths: source 0, target 5 (at least 1 and 2)");
    assertThatThrownBy(() -> encoder(5, 1, "")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void preprocessesAdgenExactlyAsTheOfficialProgram() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      RowParser<TrainingRow> parser =
          official(tokenizer, new Columns("content", "summary", "", ""), 64, 64);
      List<String> lines =
          Files.readAllLines(SharedData.require("data/golden/text/train_rows_adgen_s64_t64.jsonl"));
      assertThat(lines).hasSize(60);
      for (String line : lines) {
        assertThat(parser.parse(0, line))
            .isEqualTo(
                new RowOutcome.Accepted<>(golden(new Gson().fromJson(line, JsonObject.class))));
      }
    }
  }

  @Test
  void preprocessesConversationsExactlyAsTheOfficialProgram() throws IOException {
    Columns columns = new Columns("prompt", "response", "history", "");
    try (ChatGlmTokenizer tokenizer = real()) {
      List<String> lines =
          Files.readAllLines(SharedData.require("data/golden/text/train_rows_multiturn.jsonl"));
      assertThat(lines).hasSize(10);
      for (String line : lines) {
        JsonObject row = new Gson().fromJson(line, JsonObject.class);
        RowParser<TrainingRow> parser =
            official(
                tokenizer,
                columns,
                row.get("max_source_length").getAsInt(),
                row.get("max_target_length").getAsInt());
        assertThat(parser.parse(0, line)).isEqualTo(new RowOutcome.Accepted<>(golden(row)));
      }
    }
  }

  private static RowParser<TrainingRow> official(
      ChatGlmTokenizer tokenizer, Columns columns, int source, int target) {
    return RowParser.trainingRows(
        columns,
        new TrainingRowEncoder(
            new PromptEncoder(tokenizer::encode, "", EmptyHistory.OFFICIAL, Truncation.OFFICIAL),
            tokenizer::encode,
            tokenizer.specialIds(),
            source,
            target));
  }

  private static TrainingRow golden(JsonObject row) {
    Gson gson = new Gson();
    return new TrainingRow(
        gson.fromJson(row.get("input_ids"), int[].class),
        gson.fromJson(row.get("labels"), int[].class));
  }

  private static ChatGlmTokenizer real() throws IOException {
    LocalFolder folder = new LocalFolder(SharedData.require("data/chatglm-6b"));
    return ChatGlmTokenizer.open(folder, Path.of("target/native"));
  }
}
