package org.glmtuner.planning;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.glmtuner.config.Precision;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.RankMemory.Shape;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.model.WeightFile;

/**
 * The base, as far as a plan cares.
 *
 * @param weightBytes of its weight file
 * @param origin where the sizes are from, for people
 */
public record ModelSizes(Shape shape, long weightBytes, String origin) {

  /** Those of a {@code config.json}. */
  public static ModelSizes of(ChatGlmConfig config, Precision precision, String origin) {
    Shape shape =
        new Shape(
            config.numLayers(),
            config.hiddenSize(),
            config.numAttentionHeads(),
            config.innerHiddenSize(),
            config.vocabSize());
    return new ModelSizes(shape, WeightFile.bytes(config, precision), origin);
  }

  /** Those of ChatGLM-6B v1.1, for a plan before there is a model. */
  public static ModelSizes ofChatGlm6b(Precision precision) {
    ChatGlmConfig config =
        new ChatGlmConfig(
            28,
            4096,
            32,
            16_384,
            130_528,
            2048,
            1e-5,
            new SpecialIds(130_000, 130_001, 130_004, 130_005, 3),
            Optional.empty(),
            new JsonObject());
    return of(config, precision, "ChatGLM-6B, assumed");
  }
}
