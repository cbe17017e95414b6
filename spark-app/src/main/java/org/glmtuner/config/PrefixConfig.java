package org.glmtuner.config;

import java.io.Serializable;

/**
 * {@code prefix}: what is trained.
 *
 * @param length {@code pre_seq_len}, virtual tokens per layer
 * @param projection {@code prefix_projection}: keys and values come from a two-layer perceptron
 * @param initFrom checkpoint directory or file to start from; empty for random values
 */
public record PrefixConfig(int length, boolean projection, String initFrom)
    implements Serializable {
  static PrefixConfig read(Section section) {
    return new PrefixConfig(
        section.integer("length", 1, 4096), section.flag("projection"), section.text("init-from"));
  }
}
