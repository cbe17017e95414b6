#pragma once

#include <cstdint>

namespace native_ddp {

/**
 * As Avx2Kernels, on twice as wide registers, for CPUs with AVX-512 F, BW and VL; on others they must not be called.
 * The last panel of A is filled up with zeros too.
 */
struct Avx512Kernels {
  using Element = float;
  static constexpr const char* kName = "avx512";
  static constexpr int kPanelRows = 12;
  static constexpr int kColumnUnit = 32;
  static constexpr int kDepthBlock = 256;  // as Avx2Kernels have, so that both give the same bits
  static constexpr int kStrip = 512;
  static constexpr int kRowBlock = 96;
  static constexpr std::int64_t PanelElements(int depth) { return std::int64_t{kPanelRows} * depth; }

  static void PackRows(int rows, int depth, const float* x, std::int64_t leading, float* panel);
  static void PackTransposed(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels);
  static void PackTransposed(int columns, int depth, const float* w, std::int64_t leading, float* panels);
  static void PackStraight(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels);
  static void PackStraight(int columns, int depth, const float* w, std::int64_t leading, float* panels);
  static void MultiplyPanels(int rows, int columns, int depth, const float* a, const float* b, bool accumulate,
                             float* c, std::int64_t leading);
};

}  // namespace native_ddp
