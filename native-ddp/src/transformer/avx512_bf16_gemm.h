#pragma once

#include "transformer/avx512_bf16_kernels.h"
#include "transformer/tile_gemm.h"

namespace native_ddp {

struct Avx512Bf16Kernels {
  static constexpr const char* kName = "avx512bf16";
  static constexpr auto MultiplyPanels = avx512_bf16::MultiplyPanels;
};

/** Products with the dot products of AVX512-BF16. */
using Avx512Bf16Gemm = TileGemm<Avx512Bf16Kernels>;

}  // namespace native_ddp
