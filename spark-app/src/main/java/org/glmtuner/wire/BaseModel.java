package org.glmtuner.wire;

import java.nio.charset.StandardCharsets;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.placement.RankPlacement;

/**
 * The frozen base on this host.
 *
 * @param weightFile the converted weights
 * @param fingerprint of the release that they were converted from
 * @param config text of the model's config.json
 * @param isa instructions that matrix products use
 * @param placement of the weights and of what the rank has for itself
 */
public record BaseModel(
    String weightFile,
    String fingerprint,
    String config,
    int threads,
    EngineConfig.Isa isa,
    RankPlacement placement) {
  /** The same with other instructions. */
  public BaseModel with(EngineConfig.Isa instructions) {
    return new BaseModel(weightFile, fingerprint, config, threads, instructions, placement);
  }

  /** The model's configuration, read. */
  public ChatGlmConfig parseConfig() {
    return ChatGlmConfig.parse(config.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
  }
}
