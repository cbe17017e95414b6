package org.glmtuner.sample;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/** The {@code config.json} of the sample's base: a ChatGLM-6B in everything but its sizes. */
final class SampleConfig {
  private static final int LAYERS = 4;
  private static final int HEADS = 4;
  private static final int HIDDEN = 128;
  private static final int LENGTH = 256;

  private SampleConfig() {}

  static ChatGlmConfig of(ChatGlmTokenizer tokenizer) {
    JsonObject json = new JsonObject();
    json.addProperty("model_type", "chatglm");
    json.addProperty("num_layers", LAYERS);
    json.addProperty("hidden_size", HIDDEN);
    json.addProperty("num_attention_heads", HEADS);
    json.addProperty("inner_hidden_size", 4 * HIDDEN);
    json.addProperty("vocab_size", tokenizer.pieceCount());
    json.addProperty("max_sequence_length", LENGTH);
    json.addProperty("layernorm_epsilon", 1e-5);
    json.addProperty("position_encoding_2d", true);
    json.addProperty("mask_token_id", tokenizer.specialIds().mask());
    json.addProperty("gmask_token_id", tokenizer.specialIds().gmask());
    json.addProperty("bos_token_id", tokenizer.specialIds().sop());
    json.addProperty("eos_token_id", tokenizer.specialIds().eop());
    json.addProperty("pad_token_id", tokenizer.specialIds().pad());
    json.addProperty("torch_dtype", "float16");
    String text = new GsonBuilder().setPrettyPrinting().create().toJson(json);
    return ChatGlmConfig.parse(text.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
  }
}
