#pragma once

#include "transformer/amx_tiles.h"
#include "transformer/tile_gemm.h"

namespace native_ddp {

struct AmxKernels : TileOperands {
  static constexpr const char* kName = "amx";
  // Two panels of B [kDepthBlock, 32] take 32 KiB of a first-level cache of 48; a strip of B and a block of X take 256
  // and 512 KiB of a second-level cache of 2 MiB.
  static constexpr int kDepthBlock = 512;
  static constexpr int kStrip = 256;
  static constexpr int kRowBlock = 512;
  static constexpr auto MultiplyPanels = amx::MultiplyPanels;
};

/** Products on the tiles of AMX, for where MakeAmxGemm has found that they work. */
using AmxGemm = TileGemm<AmxKernels>;

}  // namespace native_ddp
