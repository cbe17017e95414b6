#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "threads/thread_pool.h"
#include "transformer/gemm.h"
#include "transformer/packed_product.h"
#include "transformer/panel_gemm.h"
#include "transformer/tile_loops.h"
#include "transformer/tile_packing.h"

namespace native_ddp {

/** What PackedProduct needs of operands in tiles, but for block sizes and MultiplyPanels. */
struct TileOperands {
  using Element = std::uint16_t;
  static constexpr int kPanelRows = tiles::kRows;
  static constexpr int kColumnUnit = 2 * tiles::kColumns;  // which packing takes together
  static constexpr std::int64_t PanelElements(int depth) { return tiles::PanelElements(depth); }
  static constexpr auto PackRows = tiles::PackRows;
};

/**
 * Products of BF16 weights, from operands packed in tiles: activations are rounded to BF16 while they are packed, sums
 * are FP32. FP32 weights are multiplied in FP32, with AVX2, since rounding would make them worse than they were asked
 * for. The bits of an element depend on its own operands alone, not on threads or other rows. Kernels extends
 * TileOperands with kName, kDepthBlock, kStrip, kRowBlock and MultiplyPanels.
 */
template <class Kernels>
class TileGemm final : public Gemm {
 public:
  /** Advances progress with every block done. */
  TileGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress) : product_(pool, progress), fp32_(pool, progress) {}

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override {
    if (weight.type == ElementType::kFloat32) return fp32_.Forward(rows, x, weight, y, output);
    const auto pack = [&weight](int column, int columns, int k, int depth, std::uint16_t* panels) {
      tiles::PackTransposed(columns, depth, weight.Bfloat16(column, k), weight.leading, panels);
    };
    product_.Multiply(rows, weight.rows, weight.columns, x, pack, y, output);
  }

  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override {
    if (weight.type == ElementType::kFloat32) return fp32_.Backward(rows, dy, weight, dx, output);
    const auto pack = [&weight](int column, int columns, int k, int depth, std::uint16_t* panels) {
      tiles::PackStraight(columns, depth, weight.Bfloat16(k, column), weight.leading, panels);
    };
    product_.Multiply(rows, weight.columns, weight.rows, dy, pack, dx, output);
  }

  std::string name(ElementType weights) const override {
    return weights == ElementType::kFloat32 ? fp32_.name(weights) : Kernels::kName;
  }

 private:
  static_assert(Kernels::kDepthBlock % tiles::kDepth == 0 && Kernels::kRowBlock % (2 * tiles::kRows) == 0);

  PackedProduct<Kernels> product_;
  Avx2Gemm fp32_;
};

}  // namespace native_ddp
