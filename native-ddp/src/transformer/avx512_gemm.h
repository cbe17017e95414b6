#pragma once

#include <cstdint>

#include "transformer/avx512_kernels.h"
#include "transformer/panel_gemm.h"

namespace native_ddp {

struct Avx512Kernels {
  using Element = float;
  static constexpr const char* kName = "avx512";
  static constexpr int kPanelRows = avx512::kPanelRows;
  static constexpr int kColumnUnit = avx512::kPanelColumns;
  static constexpr int kDepthBlock = 256;  // as Avx2Kernels have, so that both give the same bits
  static constexpr int kStrip = 512;
  static constexpr int kRowBlock = 96;
  static constexpr std::int64_t PanelElements(int depth) { return std::int64_t{kPanelRows} * depth; }
  static constexpr auto PackRows = avx512::PackRows;
  static constexpr auto MultiplyPanels = avx512::MultiplyPanels;

  template <class Weight>
  static void PackTransposed(int columns, int depth, const Weight* w, std::int64_t leading, float* panels) {
    avx512::PackTransposed(columns, depth, w, leading, panels);
  }

  template <class Weight>
  static void PackStraight(int columns, int depth, const Weight* w, std::int64_t leading, float* panels) {
    avx512::PackStraight(columns, depth, w, leading, panels);
  }
};

/** Products with the fused multiply-adds of AVX-512. */
using Avx512Gemm = PanelGemm<Avx512Kernels>;

}  // namespace native_ddp
