#pragma once

#include "transformer/avx512_bf16_kernels.h"
#include "transformer/tile_gemm.h"

namespace native_ddp {

struct Avx512Bf16Kernels : TileOperands {
  static constexpr const char* kName = "avx512bf16";
  // Three panels of B [kDepthBlock, 48] take 24 KiB of a first-level cache of 32; a strip of B and a block of X take
  // 240 and 64 KiB of a second-level cache of 1 MiB.
  static constexpr int kDepthBlock = 256;
  static constexpr int kStrip = 480;
  static constexpr int kRowBlock = 128;
  static constexpr auto MultiplyPanels = avx512_bf16::MultiplyPanels;
};

/** Products with the dot products of AVX512-BF16. */
using Avx512Bf16Gemm = TileGemm<Avx512Bf16Kernels>;

}  // namespace native_ddp
