package org.glmtuner.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.api.SoftAssertions;
import org.glmtuner.SharedData;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;

class ChatGlmTokenizerTest {
  private static final Path NATIVE = Path.of("target/native");

  private static ChatGlmTokenizer real() throws IOException {
    LocalFolder folder = new LocalFolder(SharedData.require("data/chatglm-6b"));
    return ChatGlmTokenizer.open(folder, Path.of("target/native"));
  }

  private static List<JsonObject> golden() throws IOException {
    Gson gson = new Gson();
    return Files.readAllLines(SharedData.require("data/golden/text/tokenizer.jsonl")).stream()
        .map(line -> gson.fromJson(line, JsonObject.class))
        .toList();
  }

  private static int[] ids(JsonObject row, String key) {
    return new Gson().fromJson(row.get(key), int[].class);
  }

  @Test
  void encodesAsTheOfficialTokenizersSentencePiece() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      SoftAssertions all = new SoftAssertions();
      for (JsonObject row : golden()) {
        String text = row.get("text").getAsString();
        all.assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids(row, "sentencepiece_ids"));
      }
      all.assertAll();
      assertThat(golden()).hasSize(200);
    }
  }

  @Test
  void encodesSpecialTextsAsTheOfficialTokenizer() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      SoftAssertions all = new SoftAssertions();
      for (JsonObject row : golden()) {
        String text = row.get("text").getAsString();
        int[] ids = tokenizer.encodeOfficially(text);
        all.assertThat(ids).as(text).isEqualTo(ids(row, "ids"));
      }
      all.assertAll();
    }
  }

  @Test
  void stripsBlanksBesideSpecialTexts() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      assertThat(tokenizer.encodeOfficially("\u3000a\u00a0\n<sop> \u2028b <unk><pad>\t[MASK] "))
          .startsWith(tokenizer.encode("\u3000a"))
          .endsWith(0, 3, 130000)
          .containsSequence(concat(130004, tokenizer.encode("b"), 0));
    }
  }

  private static int[] concat(int first, int[] middle, int last) {
    return IntStream.concat(
            IntStream.concat(IntStream.of(first), IntStream.of(middle)), IntStream.of(last))
        .toArray();
  }

  @Test
  void decodesAsTheOfficialTokenizer() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      SoftAssertions all = new SoftAssertions();
      for (JsonObject row : golden()) {
        String text = row.get("text").getAsString();
        int[] ids = ids(row, "ids");
        all.assertThat(tokenizer.decode(ids)).as(text).isEqualTo(row.get("decoded").getAsString());
        all.assertThat(tokenizer.decodeSkippingSpecials(ids))
            .as(text)
            .isEqualTo(row.get("decoded_skip_special").getAsString());
      }
      all.assertAll();
    }
  }

  @Test
  void knowsTheSpecialPiecesByName() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      assertThat(tokenizer.specialIds())
          .isEqualTo(new SpecialIds(130000, 130001, 130004, 130005, 3));
      assertThat(tokenizer.pieceCount()).isEqualTo(130344);
      String config = Files.readString(SharedData.require("data/chatglm-6b/config.json"));
      tokenizer.checkAgainst(parse(config));
      assertThatThrownBy(
              () ->
                  tokenizer.checkAgainst(
                      parse(config.replace("13000", "15000").replace("130528", "150528"))))
          .isInstanceOf(TunerException.class)
          .hasMessageMatching(
              "Cannot use the tokenizer .*/ice_text.model: it has \\[MASK] at 130000, the model at "
                  + "150000 \\(config.json is stale: it is of ChatGLM-6B's first release, of before "
                  + "2023-04-06, ice_text.model is of ChatGLM-6B since 2023-04-06\\)");
      assertThatThrownBy(() -> tokenizer.checkAgainst(parse(config.replace("130528", "130343"))))
          .hasMessageEndingWith(
              "it has 130344 pieces, the model a vocabulary of 130343 "
                  + "(take ice_text.model and config.json from the same release)");
    }
  }

  private static ChatGlmConfig parse(String config) {
    return ChatGlmConfig.parse(config.getBytes(StandardCharsets.UTF_8), "config.json");
  }

  @Test
  void assemblesBytesToCharactersAndMarksWhatIsNone() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      assertThat(tokenizer.decode(tokenizer.encode("a🀄𪚥b"))).isEqualTo("a🀄𪚥b");
      int zero = 130088; // <0x00>
      int[] cut = {zero + 0xf0, zero + 0x9f, zero + 0x80, 5, zero + 0xff, zero + 'x', 130001};
      assertThat(tokenizer.decode(cut)).isEqualTo("\ufffd\ufffd\ufffd \ufffdx");
      assertThat(tokenizer.decode(new int[] {130344, 130527, 7})).isEqualTo("\ufffd\ufffd.");
      assertThat(tokenizer.decode(new int[] {130004, 130005, 3, 1, 2})).isEmpty();
      assertThat(tokenizer.decode(new int[] {5, 5, 0, 4, 130008, 130087, 5}))
          .isEqualTo(" \u2047 \n\t" + " ".repeat(81));
    }
  }

  @Test
  void takesNamesOfSpecialTokensForText() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      assertThat(tokenizer.encode("[gMASK]<sop>你好<eop>[MASK]"))
          .doesNotContain(130000, 130001, 130004, 130005);
    }
  }

  @Test
  void keepsLineBreaksTabsAndRunsOfBlanks() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      String text = "a\n\n\tb  c" + " ".repeat(163) + "d e";
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
      assertThat(tokenizer.encode(text)).containsSequence(4, 4, 130008).contains(130009, 130087);
    }
  }

  @Test
  void servesSeveralThreads() throws IOException {
    try (ChatGlmTokenizer tokenizer = real()) {
      List<JsonObject> rows = golden();
      boolean allEqual =
          IntStream.range(0, 20_000)
              .parallel()
              .mapToObj(i -> rows.get(i % rows.size()))
              .allMatch(
                  row ->
                      Arrays.equals(
                          tokenizer.encode(row.get("text").getAsString()),
                          ids(row, "sentencepiece_ids")));
      assertThat(allEqual).isTrue();
    }
  }

  @Test
  void refusesUseAfterClose() throws IOException {
    ChatGlmTokenizer tokenizer = real();
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("a"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageEndingWith("ice_text.model: it is closed");
    assertThatThrownBy(() -> tokenizer.decode(new int[] {5}))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesFilesThatAreNoTokenizerOfChatGlm() throws IOException {
    assertRefused(new byte[0], "Cannot read M: it is not a SentencePiece model: it has no pieces");
    assertRefused(
        "version https://git-lfs.github.com/spec/v1\n".getBytes(StandardCharsets.UTF_8),
        "Cannot read M: it is not a SentencePiece model, or was cut short");
    byte[] whole = Files.readAllBytes(SharedData.require("data/chatglm-6b/ice_text.model"));
    assertRefused(
        Arrays.copyOf(whole, whole.length - 5),
        "Cannot read M: it is not a SentencePiece model, or was cut short");
    assertRefused(
        Files.readAllBytes(SharedData.require("data/chatglm2-6b/tokenizer.model")),
        "Cannot use M: its normalizer keeps blanks, unlike ChatGLM-6B's");
    byte[] onePiece = {0x0a, 3, 0x0a, 1, 'a'};
    assertRefused(
        onePiece,
        "Cannot use M: it has no piece [MASK] (the tokenizer of ChatGLM-6B since 2023-04-06 has;"
            + " a file of before is stale)");
  }

  private static void assertRefused(byte[] model, String message) {
    assertThatThrownBy(() -> ChatGlmTokenizer.load(model, "M", NATIVE))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessage(message);
  }
}
