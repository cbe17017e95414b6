package org.glmtuner.config;

/**
 * {@code model}: the frozen base.
 *
 * @param path directory of an official release; empty where a command needs none
 */
public record ModelConfig(String path, Precision precision) {
  static ModelConfig read(Section section) {
    return new ModelConfig(section.text("path"), section.choice("precision", Precision.values()));
  }
}
