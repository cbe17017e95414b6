#pragma once

#include <cstdint>

namespace native_ddp {

/**
 * The inner loops of a product C[m, n] = A[m, k] · B[k, n] for CPUs with AVX2 and FMA; on others they must not be
 * called. They work on packed operands: A in panels of kPanelRows rows, B in panels of kColumnUnit columns, both with
 * the k index outermost within a panel. The last panel of A is as narrow as the rows that are left; that of B is filled
 * up with zeros.
 */
struct Avx2Kernels {
  using Element = float;
  static constexpr const char* kName = "avx2";
  static constexpr int kPanelRows = 6;
  static constexpr int kColumnUnit = 16;
  static constexpr int kDepthBlock = 256;  // a panel of B [256, 16] and one of X fit into a first-level cache of 32 KiB
  static constexpr int kStrip = 256;
  static constexpr int kRowBlock = 72;
  static constexpr std::int64_t PanelElements(int depth) { return std::int64_t{kPanelRows} * depth; }

  /** One panel of A from x[rows, depth], rows at most kPanelRows; writes rows · depth elements. */
  static void PackRows(int rows, int depth, const float* x, std::int64_t leading, float* panel);

  /** The panels of B = Wᵀ from w[columns, depth], BF16. */
  static void PackTransposed(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels);
  /** The panels of B = Wᵀ from w[columns, depth], FP32. */
  static void PackTransposed(int columns, int depth, const float* w, std::int64_t leading, float* panels);

  /** The panels of B = W from w[depth, columns], BF16. */
  static void PackStraight(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels);
  /** The panels of B = W from w[depth, columns], FP32. */
  static void PackStraight(int columns, int depth, const float* w, std::int64_t leading, float* panels);

  /**
   * c[rows, columns] = A · B, or added to c. Each element is one chain of fused multiply-adds over k in ascending
   * order, wherever it stands in the block.
   */
  static void MultiplyPanels(int rows, int columns, int depth, const float* a, const float* b, bool accumulate,
                             float* c, std::int64_t leading);
};

}  // namespace native_ddp
