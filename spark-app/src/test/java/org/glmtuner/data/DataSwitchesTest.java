package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.DataConfig;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.tokenizer.ChatGlmTokenizer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** From configuration keys to ids, with the sample's tokenizer. */
class DataSwitchesTest {
  private static final Question FIRST = new Question("shirt", List.of(), true);
  private static final Question LONG =
      new Question("shirt", List.of(new Turn("trousers ".repeat(20), "wide")), true);

  private static ChatGlmTokenizer tokenizer;

  @BeforeAll
  static void load() throws IOException {
    Path model = Checkout.module().resolve("src/sample/tiny-chatglm");
    tokenizer = ChatGlmTokenizer.open(new LocalFolder(model), Path.of("target/native"));
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static DataConfig data(String... keysAndValues) {
    Map<String, String> overrides = new TreeMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      overrides.put("data." + keysAndValues[i], keysAndValues[i + 1]);
    }
    return ConfigLoader.load("", "", overrides).data();
  }

  private static int[] training(Question question, DataConfig data) {
    return TrainingRowEncoder.of(tokenizer, tokenizer.specialIds(), data)
        .encode(question, "blue")
        .row()
        .inputIds();
  }

  /** The prompt that the official program makes of the same text. */
  private static int[] prompt(String text) {
    return tokenizer.encode(text);
  }

  @Test
  void specialTokensAreTextUnlessAskedFor() {
    int mask = tokenizer.specialIds().mask();
    Question question = Question.of("shirt [MASK] blue");
    assertThat(training(question, data())).doesNotContain(mask);
    assertThat(training(question, data("special-tokens", "official"))).containsOnlyOnce(mask);
    int[] evaluated =
        EvaluationRowEncoder.of(
                tokenizer, tokenizer.specialIds(), data("special-tokens", "official"))
            .encodePrompt("shirt [MASK] blue")
            .ids();
    assertThat(evaluated).containsOnlyOnce(mask);
  }

  @Test
  void anEmptyHistoryMakesARoundInTrainingUnlessSwitchedOff() {
    assertThat(training(FIRST, data())).startsWith(prompt("[Round 0]\n问：shirt\n答："));
    assertThat(training(FIRST, data("empty-history", "raw"))).startsWith(prompt("shirt"));
    EvaluationRow evaluated =
        EvaluationRowEncoder.of(tokenizer, tokenizer.specialIds(), data()).encode(FIRST, "blue");
    assertThat(evaluated.inputIds())
        .startsWith(prompt("shirt"))
        .hasSize(prompt("shirt").length + 2);
  }

  @Test
  void theNewestQueryIsCutUnlessOldTurnsAre() {
    int[] whole =
        prompt("[Round 0]\n问：" + "trousers ".repeat(20) + "\n答：wide\n[Round 1]\n问：shirt\n答：");
    assertThat(whole.length).isGreaterThan(63);
    assertThat(training(LONG, data())).startsWith(Arrays.copyOf(whole, 63));
    assertThat(training(LONG, data("truncation", "oldest")))
        .startsWith(prompt("[Round 0]\n问：shirt\n答："));
  }

  @Test
  void theSourcePrefixComesBeforeTheRounds() {
    assertThat(training(FIRST, data("source-prefix", "Answer: ")))
        .startsWith(prompt("Answer: [Round 0]\n问：shirt\n答："));
  }
}
