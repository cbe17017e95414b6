#pragma once

#include <cstdint>

#include "transformer/avx2_kernels.h"
#include "transformer/panel_gemm.h"

namespace native_ddp {

struct Avx2Kernels {
  using Element = float;
  static constexpr const char* kName = "avx2";
  static constexpr int kPanelRows = avx2::kPanelRows;
  static constexpr int kColumnUnit = avx2::kPanelColumns;
  static constexpr int kDepthBlock = 256;  // a panel of B [256, 16] and one of X fit into a first-level cache of 32 KiB
  static constexpr int kStrip = 256;
  static constexpr int kRowBlock = 72;
  static constexpr std::int64_t PanelElements(int depth) { return std::int64_t{kPanelRows} * depth; }
  static constexpr auto PackRows = avx2::PackRows;
  static constexpr auto MultiplyPanels = avx2::MultiplyPanels;

  template <class Weight>
  static void PackTransposed(int columns, int depth, const Weight* w, std::int64_t leading, float* panels) {
    avx2::PackTransposed(columns, depth, w, leading, panels);
  }

  template <class Weight>
  static void PackStraight(int columns, int depth, const Weight* w, std::int64_t leading, float* panels) {
    avx2::PackStraight(columns, depth, w, leading, panels);
  }
};

/** Products with AVX2 and FMA. */
using Avx2Gemm = PanelGemm<Avx2Kernels>;

}  // namespace native_ddp
