#include "tile_loop.h"

#include "transformer/tile_loops.h"

namespace native_ddp {
namespace {
constexpr int kProducts = 4;  // sixteen cycles each hide the latency of about fifty
}  // namespace

void TileLoop(std::int64_t rounds) {
  const tiles::Configuration configuration;
  asm volatile(
      "ldtilecfg %1\n"  // which fills all tiles with zeros
      "1:\n"
      "tdpbf16ps %%tmm6, %%tmm4, %%tmm0\n"
      "tdpbf16ps %%tmm7, %%tmm4, %%tmm1\n"
      "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n"
      "tdpbf16ps %%tmm7, %%tmm5, %%tmm3\n"
      "dec %0\n"
      "jnz 1b\n"
      "tilerelease\n"
      : "+r"(rounds)
      : "m"(configuration)
      : "cc");
}

double TileLoopOperations(std::int64_t rounds) {
  return 2.0 * kProducts * tiles::kRows * tiles::kColumns * tiles::kDepth * static_cast<double>(rounds);
}

}  // namespace native_ddp
