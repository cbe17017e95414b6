#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "threads/thread_pool.h"
#include "transformer/avx2_kernels.h"
#include "transformer/gemm.h"
#include "transformer/packed_product.h"

namespace native_ddp {

/** What PackedProduct needs of AVX2. */
struct Avx2Kernels {
  using Element = float;
  static constexpr int kPanelRows = avx2::kPanelRows;
  static constexpr int kColumnUnit = avx2::kPanelColumns;
  static constexpr int kDepthBlock = 256;  // a panel of B [256, 16] and one of X fit into a first-level cache of 32 KiB
  static constexpr int kStrip = 256;
  static constexpr int kRowBlock = 72;
  static constexpr std::int64_t PanelElements(int depth) { return std::int64_t{kPanelRows} * depth; }
  static constexpr auto PackRows = avx2::PackRows;
  static constexpr auto MultiplyPanels = avx2::MultiplyPanels;
};

/**
 * FP32 products for CPUs with AVX2 and FMA. Weights are converted while they are packed for the inner loops. The bits
 * of an element depend on its own operands alone, not on threads or other rows.
 */
class Avx2Gemm final : public Gemm {
 public:
  /** Advances progress with every block done. */
  Avx2Gemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress) : product_(pool, progress) {}

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override;
  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override;
  std::string name(ElementType) const override { return "avx2"; }

 private:
  PackedProduct<Avx2Kernels> product_;
};

}  // namespace native_ddp
