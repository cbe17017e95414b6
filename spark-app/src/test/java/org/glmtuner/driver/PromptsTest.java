package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.DataConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.ChatGlmConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts from a user's file to what the model takes. */
class PromptsTest {
  private static final Path SAMPLE = Path.of("src/sample/tiny-chatglm");
  private static final int GMASK = 5;
  private static final int SOP = 8;

  @TempDir Path directory;

  private static DataConfig data(String... settings) {
    return ConfigLoader.load(String.join("\n", settings), "", Map.of()).data();
  }

  private List<PromptFile.Row> read(DataConfig data, String... lines) throws Exception {
    Path file = Files.write(directory.resolve("prompts.jsonl"), List.of(lines));
    return PromptFile.read(file.toString(), data);
  }

  private static ChatGlmConfig model() throws Exception {
    return ChatGlmConfig.parse(Files.readAllBytes(SAMPLE.resolve("config.json")), "config.json");
  }

  @Test
  void aFileHoldsTextsOrIds() throws Exception {
    List<PromptFile.Row> rows =
        read(
            data("data.prompt-column = content"),
            "{\"content\": \"一\\n二\", \"x\": 1}",
            "",
            "{\"input_ids\": [9, 5, 8], \"content\": \"不\"}");
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).text()).isEqualTo("一\n二");
    assertThat(rows.get(0).ids()).isNull();
    assertThat(rows.get(1).text()).isNull();
    assertThat(rows.get(1).ids()).containsExactly(9, 5, 8);
    assertThat(
            read(data("data.format = json"), "{\"input_ids\": [1], \"prompt\": \"一\"}")
                .get(0)
                .text())
        .isEqualTo("一");
  }

  @Test
  void aRowThatIsNoPromptIsNamed() {
    for (String line :
        List.of(
            "{", "[]", "{}", "{\"prompt\": 3}", "{\"prompt\": null}", "{\"input_ids\": [\"a\"]}")) {
      assertThatThrownBy(() -> read(data(), "{\"prompt\": \"一\"}", line))
          .as(line)
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
          .hasMessage(
              "Cannot read "
                  + directory.resolve("prompts.jsonl")
                  + ", row 2: it is no JSON object with a text in column prompt (data.prompt-column)");
    }
    assertThatThrownBy(() -> read(data("data.format = tokens"), "{\"prompt\": \"一\"}"))
        .hasMessageEndingWith(
            ", row 1: it is no JSON object with an array of integers in column input_ids (data.format)");
    assertThatThrownBy(() -> PromptFile.read("/nowhere/prompts.jsonl", data()))
        .hasMessage("Cannot read /nowhere/prompts.jsonl: there is no such file");
  }

  @Test
  void idsAreTakenAsTheyAreButForPaddingOnTheLeft() throws Exception {
    Prompt prompt = new TokenPrompts(model()).prompt(3, new int[] {3, 3, 30, 3, GMASK, SOP});
    assertThat(prompt.ids()).containsExactly(30, 3, GMASK, SOP);
    assertThat(prompt.id()).isEqualTo(3);
  }

  @Test
  void idsThatTheModelCannotCompleteAreRefusedByNumber() {
    refused("it has no <sop> (id 8)", 30, GMASK);
    refused("it has neither [gMASK] (id 5) nor [MASK] (id 4)", 30, SOP);
    refused("token 640 is not in the vocabulary (0 to 639)", 640, GMASK, SOP);
    refused("token -1 is not in the vocabulary (0 to 639)", -1, GMASK, SOP);
    refused("it has no <sop> (id 8)");
    int[] tooLong = new int[257];
    Arrays.fill(tooLong, GMASK);
    tooLong[256] = SOP;
    refused("it has 257 tokens (at most 256, by the model's max_sequence_length)", tooLong);
  }

  private static void refused(String reason, int... ids) {
    assertThatThrownBy(() -> new TokenPrompts(model()).prompt(3, ids))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessage("Cannot complete prompt 4: " + reason);
  }
}
