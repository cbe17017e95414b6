package org.glmtuner.config;

import java.io.Serializable;

/** {@code memory}: where ranks have their weights and buffers. */
public record MemoryConfig(Weights weights, Kind kind) implements Serializable {
  /** How ranks of a host share the weights. */
  public enum Weights {
    /** As the host's memory makes it best. */
    AUTO,
    /** The weight file, mapped by all ranks. */
    SHARED,
    /** A copy in the memory of each CPU cluster. */
    PER_CLUSTER
  }

  /** What memory the weights are in. */
  public enum Kind {
    /** HBM where the weights fit. */
    AUTO,
    HBM,
    DRAM
  }

  static MemoryConfig read(Section section) {
    return new MemoryConfig(
        section.choice("weights", Weights.values()), section.choice("kind", Kind.values()));
  }
}
