package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.SharedData;
import org.glmtuner.config.DataConfig.Columns;
import org.glmtuner.config.DataConfig.EmptyHistory;
import org.glmtuner.config.DataConfig.Truncation;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.tokenizer.ChatGlmTokenizer;
import org.junit.jupiter.api.Test;

class EvaluationRowEncoderTest {
  private static final SpecialIds IDS = new SpecialIds(100, 101, 104, 105, 3);

  private static EvaluationRowEncoder encoder(int source, int target) {
    return new EvaluationRowEncoder(
        new PromptEncoder(
            text -> text.chars().toArray(), "", EmptyHistory.RAW, Truncation.OFFICIAL),
        text -> text.chars().toArray(),
        IDS,
        source,
        target);
  }

  @Test
  void keepsTheHeadsOfPromptAndReference() {
    assertThat(encoder(5, 4).encode(Question.of("12345"), "6789"))
        .isEqualTo(
            new EvaluationRow(new int[] {'1', '2', '3', 101, 104}, new int[] {'6', '7', 101, 104}));
    assertThat(encoder(5, 4).encodePrompt("1").ids()).containsExactly('1', 101, 104);
  }

  @Test
  void anEmptyHistoryMakesNoRound() {
    assertThat(encoder(99, 99).encode(new Question("1", List.of(), true), "2").inputIds())
        .containsExactly('1', 101, 104);
  }

  @Test
  void refusesLengthsWithoutRoomForTheSpecialTokens() {
    assertThatThrownBy(() -> encoder(1, 5))
        .hasMessage("Invalid lengths: source 1, target 5 (at least 2 and 2)");
  }

  @Test
  void preprocessesExactlyAsTheOfficialProgram() throws IOException {
    Gson gson = new Gson();
    JsonObject golden =
        gson.fromJson(
            Files.readString(SharedData.require("data/golden/text/eval_rows.json")),
            JsonObject.class);
    JsonArray inputs = golden.getAsJsonArray("inputs");
    assertThat(inputs).hasSize(8);
    try (ChatGlmTokenizer tokenizer = real()) {
      RowParser<EvaluationRow> parser =
          RowParser.evaluationRows(
              new Columns("prompt", "response", "", ""), official(tokenizer, golden));
      for (int i = 0; i < inputs.size(); i++) {
        JsonObject row = new JsonObject();
        row.add("prompt", inputs.get(i));
        row.add("response", golden.getAsJsonArray("targets").get(i));
        int[] labels = ids(golden, "labels", i);
        assertThat(parser.parse(i, row))
            .isEqualTo(
                new RowOutcome.Accepted<>(
                    new EvaluationRow(withoutPadding(ids(golden, "input_ids", i)), labels)));
        assertThat(tokenizer.decodeSkippingSpecials(labels))
            .isEqualTo(golden.getAsJsonArray("label_texts_after_decode").get(i).getAsString());
      }
    }
  }

  @Test
  void promptsAreWhatTheOfficialTokenizerGivesWithSpecialTokens() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      EvaluationRowEncoder encoder =
          new EvaluationRowEncoder(
              new PromptEncoder(
                  tokenizer::encodeOfficially, "", EmptyHistory.RAW, Truncation.OFFICIAL),
              tokenizer::encodeOfficially,
              tokenizer.specialIds(),
              9999,
              9999);
      for (String line :
          Files.readAllLines(SharedData.require("data/golden/text/tokenizer.jsonl"))) {
        JsonObject row = new Gson().fromJson(line, JsonObject.class);
        assertThat(encoder.encodePrompt(row.get("text").getAsString()).ids())
            .isEqualTo(new Gson().fromJson(row.get("ids_with_special"), int[].class));
      }
    }
  }

  private static EvaluationRowEncoder official(ChatGlmTokenizer tokenizer, JsonObject golden) {
    return new EvaluationRowEncoder(
        new PromptEncoder(tokenizer::encode, "", EmptyHistory.RAW, Truncation.OFFICIAL),
        tokenizer::encode,
        tokenizer.specialIds(),
        golden.get("max_source_length").getAsInt(),
        golden.get("max_target_length").getAsInt());
  }

  private static int[] ids(JsonObject golden, String key, int row) {
    JsonElement ids = golden.getAsJsonArray(key).get(row);
    return new Gson().fromJson(ids, int[].class);
  }

  /** The goldens are padded on the left to the longest of the batch. */
  private static int[] withoutPadding(int[] ids) {
    return IntStream.of(ids).dropWhile(id -> id == 3).toArray();
  }

  private static ChatGlmTokenizer real() throws IOException {
    LocalFolder folder = new LocalFolder(SharedData.require("data/chatglm-6b"));
    return ChatGlmTokenizer.open(folder, Path.of("target/native"));
  }
}
