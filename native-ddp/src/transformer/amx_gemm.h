#pragma once

#include "transformer/amx_tiles.h"
#include "transformer/tile_gemm.h"

namespace native_ddp {

struct AmxKernels {
  static constexpr const char* kName = "amx";
  static constexpr auto MultiplyPanels = amx::MultiplyPanels;
};

/** Products on the tiles of AMX, for where MakeAmxGemm has found that they work. */
using AmxGemm = TileGemm<AmxKernels>;

}  // namespace native_ddp
