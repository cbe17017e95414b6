#include "transformer/amx_tiles.h"

#include "transformer/tile_loops.h"

// This file alone is compiled for AMX, and like the other kernels it includes nothing of the standard library with code
// in it. In assembler, since the compiler's functions want the number of a tile as a literal, and gcc 12 would let
// stores into packed panels sink below its loads of tiles.
namespace native_ddp::amx {
namespace {

struct Tiles {
  static void Configure(const tiles::Configuration& configuration) {
    asm volatile("ldtilecfg %0" : : "m"(configuration));
  }
  static void Release() { asm volatile("tilerelease"); }

  template <int kTile>
  static void Zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  static void Load(const void* from, std::int64_t row_bytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(row_bytes), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void Store(void* to, std::int64_t row_bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(row_bytes), "i"(kTile) : "memory");
  }
  template <int kC, int kA, int kB>
  static void Multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  }
};

}  // namespace

void MultiplyPanels(int rows, int columns, int depth, const std::uint16_t* a, const std::uint16_t* b, bool accumulate,
                    float* c, std::int64_t leading) {
  tiles::MultiplyPanels<Tiles>(rows, columns, depth, a, b, accumulate, c, leading);
}

}  // namespace native_ddp::amx
