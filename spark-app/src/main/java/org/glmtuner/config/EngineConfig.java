package org.glmtuner.config;

import java.io.Serializable;
import java.util.Locale;

/** {@code engine}: how ranks compute. */
public record EngineConfig(Isa isa) implements Serializable {
  /** Instructions of matrix products. */
  public enum Isa {
    /** The fastest that the CPU has. */
    AUTO,
    /** What libtorch's BLAS chooses. */
    GENERIC,
    /** AVX2 and FMA. */
    AVX2,
    /** Fused multiply-adds of AVX-512 F, BW and VL. */
    AVX512,
    /** Dot products of BF16, which round as {@link #AMX} does. */
    AVX512BF16,
    /**
     * Tiles of BF16 for BF16 weights: activations are rounded to BF16 in products; sums are FP32.
     */
    AMX;

    /**
     * As in the configuration: {@code auto}, {@code generic}, {@code avx2}, {@code avx512}, {@code
     * avx512bf16}, {@code amx}.
     */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static EngineConfig read(Section section) {
    return new EngineConfig(section.choice("isa", Isa.values()));
  }
}
