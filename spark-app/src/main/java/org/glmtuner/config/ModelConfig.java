package org.glmtuner.config;

import java.io.Serializable;

/**
 * {@code model}: the frozen base.
 *
 * @param path directory of an official release; empty where a command needs none
 */
public record ModelConfig(String path, Precision precision) implements Serializable {
  static ModelConfig read(Section section) {
    return new ModelConfig(section.text("path"), section.choice("precision", Precision.values()));
  }
}
