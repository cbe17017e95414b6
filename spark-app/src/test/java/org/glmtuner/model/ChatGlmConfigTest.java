package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.glmtuner.SharedData;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatGlmConfigTest {

  @Test
  void readsTheOfficialFile() throws IOException {
    ChatGlmConfig config =
        ChatGlmConfig.read(new LocalFolder(SharedData.require("data/chatglm-6b")));
    assertThat(config.numLayers()).isEqualTo(28);
    assertThat(config.hiddenSize()).isEqualTo(4096);
    assertThat(config.numAttentionHeads()).isEqualTo(32);
    assertThat(config.headSize()).isEqualTo(128);
    assertThat(config.innerHiddenSize()).isEqualTo(16384);
    assertThat(config.vocabSize()).isEqualTo(130528);
    assertThat(config.maxSequenceLength()).isEqualTo(2048);
    assertThat(config.layernormEpsilon()).isEqualTo(1e-5);
    assertThat(config.specialIds()).isEqualTo(new SpecialIds(130000, 130001, 130004, 130005, 3));
    assertThat(config.prefix()).isEmpty();
  }

  @Test
  void readsThePrefixOfACheckpointByTheOfficialTrainer() throws IOException {
    ChatGlmConfig config =
        ChatGlmConfig.read(
            new LocalFolder(Path.of("src/test/resources/golden/small/prefix-init/p8")));
    assertThat(config.prefix()).contains(new ChatGlmConfig.Prefix(8, false));
  }

  @Test
  void writesBackWhatItReadWithThePrefix() {
    ChatGlmConfig config = parse(ModelFiles.CONFIG);
    assertThat(parse(text(config))).isEqualTo(config);
    ChatGlmConfig.Prefix prefix = new ChatGlmConfig.Prefix(7, true);
    String written = text(config.withPrefix(prefix));
    assertThat(parse(written).prefix()).isEqualTo(Optional.of(prefix));
    assertThat(written)
        .startsWith("{\n  \"architectures\": [\n    \"ChatGLMModel\"\n  ],\n")
        .contains("\"layernorm_epsilon\": 1e-05,", "\"unknown\": {\n    \"kept\": [\n", "null")
        .contains("\"pre_seq_len\": 7,\n  \"prefix_projection\": true\n}\n");
    assertThat(config.prefix()).as("the original is unchanged").isEmpty();
    assertThat(text(config)).doesNotContain("pre_seq_len");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'vocab_size': 35 | 'other': 35 | Cannot read C: the key vocab_size is missing",
        "'vocab_size': 35 | 'vocab_size': '35' | Invalid vocab_size in C: \"35\" (a number)",
        "'vocab_size': 35 | 'vocab_size': 35.5 | Invalid vocab_size in C: 35.5 (an integer)",
        "'vocab_size': 35 | 'vocab_size': -1 | Invalid vocab_size in C: -1 (1 to 16777216)",
        "'vocab_size': 35 | 'vocab_size': 34 "
            + "| Invalid eos_token_id in C: 34 (0 to 33, by vocab_size)",
        "'eos_token_id': 34 | 'eos_token_id': 33 | Cannot read C: Invalid special ids: mask 30, "
            + "gmask 31, sop 33, eop 33, pad 3 (all different, none below 0)",
        "'num_attention_heads': 3 | 'num_attention_heads': 5 | Invalid num_attention_heads in C: 5 "
            + "(divides hidden_size 24 into heads of a multiple of 4)",
        "'num_attention_heads': 3 | 'num_attention_heads': 12 | Invalid num_attention_heads in C: "
            + "12 (divides hidden_size 24 into heads of a multiple of 4)",
        "'position_encoding_2d': true | 'position_encoding_2d': false "
            + "| Invalid position_encoding_2d in C: false (true, as in ChatGLM-6B)",
        "'model_type': 'chatglm' | 'model_type': 'llama' "
            + "| Invalid model_type in C: \"llama\" (chatglm is supported)",
        "'model_type': 'chatglm' | 'model_type': null | Cannot read C: the key model_type is missing",
        "'vocab_size': 35 | 'vocab_size': 35, 'quantization_bit': 4 "
            + "| Invalid quantization_bit in C: 4 (0: take the unquantised model)",
        "'vocab_size': 35 | 'vocab_size': 35, 'pre_seq_len': 0 "
            + "| Invalid pre_seq_len in C: 0 (1 to 16777216)",
        "'vocab_size': 35 | 'vocab_size': 35, 'pre_seq_len': 1, 'prefix_projection': 0 "
            + "| Invalid prefix_projection in C: 0 (true or false)",
        "'layernorm_epsilon': 1e-05 | 'layernorm_epsilon': 0 "
            + "| Invalid layernorm_epsilon in C: 0 (between 0 and 1)",
        "'vocab_size': 35 | vocab_size | Cannot read C: it is not a JSON object",
        "'vocab_size': 35 | 'vocab_size': NaN | Cannot read C: it is not a JSON object",
      })
  void refusesAnInvalidKey(String from, String to, String message) {
    String config = ModelFiles.CONFIG.replace(quoted(from), quoted(to));
    assertThat(config).isNotEqualTo(ModelFiles.CONFIG);
    assertThatThrownBy(() -> parse(config))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessage(message);
  }

  private static String quoted(String text) {
    return text.replace('\'', '"');
  }

  @Test
  void acceptsAQuantisationOfNoBits() {
    assertThat(
            parse(
                    ModelFiles.CONFIG.replace(
                        "\"vocab_size\"", "\"quantization_bit\": 0, \"vocab_size\""))
                .vocabSize())
        .isEqualTo(35);
  }

  @Test
  void refusesLaterModelsByName() {
    LocalFolder later = new LocalFolder(SharedData.require("data/chatglm2-6b"));
    assertThatThrownBy(() -> ChatGlmConfig.read(later))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageEndingWith("it is a ChatGLM2 or ChatGLM3 (ChatGLM-6B is supported)");
  }

  @Test
  void refusesWhatIsNotJson() {
    for (String text : new String[] {"", "[]", "{", "{} {}", "\u0000"}) {
      assertThatThrownBy(() -> parse(text)).isInstanceOf(TunerException.class);
    }
    assertThatThrownBy(() -> ChatGlmConfig.parse(new byte[] {(byte) 0xff}, "C"))
        .hasMessage("Cannot read C: it is not a JSON object");
  }

  private static ChatGlmConfig parse(String json) {
    return ChatGlmConfig.parse(json.getBytes(StandardCharsets.UTF_8), "C");
  }

  private static String text(ChatGlmConfig config) {
    return new String(config.toJson(), StandardCharsets.UTF_8);
  }
}
