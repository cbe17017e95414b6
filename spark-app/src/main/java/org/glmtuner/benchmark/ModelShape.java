package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import org.glmtuner.data.Sample;
import org.glmtuner.data.TrainingRow;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.RankMemory;
import org.glmtuner.planning.Products;

/**
 * A ChatGLM of any size.
 *
 * @param vocabulary V; where it is not the real one, ids are folded into it
 * @param prefix P, virtual tokens
 */
record ModelShape(int layers, int hidden, int heads, int inner, int vocabulary, int prefix) {
  static final int REAL_VOCABULARY = 130_528;
  private static final int LEAST_VOCABULARY = 32;
  private static final int LONGEST = 2048;

  private static final int MASK = 130_000;
  private static final int GMASK = 130_001;
  private static final int SOP = 130_004;
  private static final int EOP = 130_005;
  private static final int PAD = 3;

  /** Ids below this are special. */
  private static final int FIRST_TEXT_ID = 5;

  /** So many ids at the end of a small vocabulary are kept for special ones. */
  private static final int KEPT = 20;

  ModelShape {
    if (vocabulary < LEAST_VOCABULARY || vocabulary > REAL_VOCABULARY) {
      throw TunerException.invalid(
          "Invalid --vocab: "
              + vocabulary
              + " (from "
              + LEAST_VOCABULARY
              + " to "
              + REAL_VOCABULARY
              + ")");
    }
  }

  /** The model's configuration, as a release would state it. */
  ChatGlmConfig config() {
    JsonObject json = new JsonObject();
    json.addProperty("model_type", "chatglm");
    json.addProperty("num_layers", layers);
    json.addProperty("hidden_size", hidden);
    json.addProperty("num_attention_heads", heads);
    json.addProperty("inner_hidden_size", inner);
    json.addProperty("vocab_size", vocabulary);
    json.addProperty("max_sequence_length", LONGEST);
    json.addProperty("layernorm_epsilon", 1e-5);
    json.addProperty("position_encoding_2d", true);
    json.addProperty("mask_token_id", special(MASK));
    json.addProperty("gmask_token_id", special(GMASK));
    json.addProperty("bos_token_id", special(SOP));
    json.addProperty("eos_token_id", special(EOP));
    json.addProperty("pad_token_id", PAD);
    return ChatGlmConfig.parse(json.toString().getBytes(StandardCharsets.UTF_8), "config.json");
  }

  /** The special ids keep their distance to the end of a small vocabulary. */
  private int special(int id) {
    int lastReal = EOP + 3;
    return vocabulary == REAL_VOCABULARY ? id : vocabulary - (lastReal - id);
  }

  /** A row of the real vocabulary in this one. */
  TrainingRow fold(TrainingRow row) {
    return vocabulary == REAL_VOCABULARY
        ? row
        : new TrainingRow(fold(row.inputIds()), fold(row.labels()));
  }

  private int[] fold(int[] ids) {
    int[] folded = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      folded[i] =
          switch (ids[i]) {
            case GMASK, SOP, EOP -> special(ids[i]);
            case PAD, Sample.IGNORED -> ids[i];
            default -> FIRST_TEXT_ID + Math.max(0, ids[i]) % (vocabulary - KEPT);
          };
    }
    return folded;
  }

  /** Floating-point operations of a step over this sample; the last token is no input. */
  double operations(Sample sample) {
    return Products.operations(
        new RankMemory.Shape(layers, hidden, heads, inner, vocabulary),
        sample.length() - 1.0,
        sample.labelCount());
  }
}
