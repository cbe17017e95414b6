#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "transformer/tile_gemm.h"
#include "transformer/tile_loops.h"

namespace native_ddp {

/** Tile instructions read denormals as zero and write zero for them. */
inline float Flush(float value) {
  return std::fabs(value) < std::numeric_limits<float>::min() ? std::copysign(0.0F, value) : value;
}

inline float WidenBfloat16(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/**
 * The tile registers of each thread as Intel's manual describes them, for any CPU: tiles are as large as configured,
 * and without a configuration there are none.
 */
class EmulatedTiles {
 public:
  static void Configure(const tiles::Configuration& configuration) {
    if (configuration.palette != 1) throw std::logic_error("a palette other than 1");
    State& state = OfThisThread();
    state = State{};
    state.configured = true;
    state.configuration = configuration;
  }

  static void Release() { OfThisThread().configured = false; }

  static bool IsConfigured() { return OfThisThread().configured; }

  template <int kTile>
  static void Zero() {
    At(kTile) = Tile{};
  }

  template <int kTile>
  static void Load(const void* from, std::int64_t row_bytes) {
    Tile& tile = At(kTile) = Tile{};
    const tiles::Configuration& shape = OfThisThread().configuration;
    for (int row = 0; row < shape.rows[kTile]; ++row) {
      std::memcpy(tile.rows[row].bf16, static_cast<const char*>(from) + row * row_bytes, shape.row_bytes[kTile]);
    }
  }

  template <int kTile>
  static void Store(void* to, std::int64_t row_bytes) {
    const Tile& tile = At(kTile);
    const tiles::Configuration& shape = OfThisThread().configuration;
    for (int row = 0; row < shape.rows[kTile]; ++row) {
      std::memcpy(static_cast<char*>(to) + row * row_bytes, tile.rows[row].bf16, shape.row_bytes[kTile]);
    }
  }

  /** TDPBF16PS: even and odd values of k in a sum each, which are then added to each other and to the tile. */
  template <int kC, int kA, int kB>
  static void Multiply() {
    Tile& c = At(kC);
    const Tile& a = At(kA);
    const Tile& b = At(kB);
    const tiles::Configuration& shape = OfThisThread().configuration;
    const int columns = shape.row_bytes[kC] / 4;
    const int pairs = shape.row_bytes[kA] / 4;
    for (int m = 0; m < shape.rows[kC]; ++m) {
      float sums[2][16] = {};
      for (int p = 0; p < pairs; ++p) {
        for (int half = 0; half < 2; ++half) {
          const float factor = Flush(WidenBfloat16(a.rows[m].bf16[2 * p + half]));
          for (int n = 0; n < columns; ++n) {
            float& sum = sums[half][n];
            sum = Flush(std::fma(factor, Flush(WidenBfloat16(b.rows[p].bf16[2 * n + half])), sum));
          }
        }
      }
      for (int n = 0; n < columns; ++n) {
        float value;
        std::memcpy(&value, c.rows[m].bf16 + 2 * n, sizeof value);
        value = Flush(Flush(value) + Flush(sums[0][n] + sums[1][n]));
        std::memcpy(c.rows[m].bf16 + 2 * n, &value, sizeof value);
      }
    }
  }

 private:
  struct Row {
    std::uint16_t bf16[32];
  };
  struct Tile {
    Row rows[16];
  };
  struct State {
    bool configured = false;
    tiles::Configuration configuration;
    Tile tiles[tiles::kTiles] = {};
  };

  static State& OfThisThread() {
    thread_local State state;
    return state;
  }

  static Tile& At(int tile) {
    State& state = OfThisThread();
    if (!state.configured) throw std::logic_error("tiles without a configuration");
    return state.tiles[tile];
  }
};

struct EmulatedKernels {
  static constexpr const char* kName = "emulated tiles";
  static constexpr auto MultiplyPanels = tiles::MultiplyPanels<EmulatedTiles>;
};

using EmulatedGemm = TileGemm<EmulatedKernels>;

}  // namespace native_ddp
