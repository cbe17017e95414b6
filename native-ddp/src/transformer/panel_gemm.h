#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "threads/thread_pool.h"
#include "transformer/avx2_kernels.h"
#include "transformer/avx512_kernels.h"
#include "transformer/gemm.h"
#include "transformer/packed_product.h"

namespace native_ddp {

/**
 * FP32 products. Weights are converted while they are packed for the inner loops. The bits of an element depend on its
 * own operands alone, not on threads or other rows. Kernels is as Avx2Kernels.
 */
template <class Kernels>
class PanelGemm final : public Gemm {
 public:
  /** Advances progress with every block done. */
  PanelGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress) : product_(pool, progress) {}

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override {
    const auto pack = [&weight](int column, int columns, int k, int depth, float* panels) {
      if (weight.type == ElementType::kFloat32) {
        Kernels::PackTransposed(columns, depth, weight.Float32(column, k), weight.leading, panels);
      } else {
        Kernels::PackTransposed(columns, depth, weight.Bfloat16(column, k), weight.leading, panels);
      }
    };
    product_.Multiply(rows, weight.rows, weight.columns, x, pack, y, output);
  }

  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override {
    const auto pack = [&weight](int column, int columns, int k, int depth, float* panels) {
      if (weight.type == ElementType::kFloat32) {
        Kernels::PackStraight(columns, depth, weight.Float32(k, column), weight.leading, panels);
      } else {
        Kernels::PackStraight(columns, depth, weight.Bfloat16(k, column), weight.leading, panels);
      }
    };
    product_.Multiply(rows, weight.columns, weight.rows, dy, pack, dx, output);
  }

  std::string name(ElementType) const override { return Kernels::kName; }

 private:
  PackedProduct<Kernels> product_;
};

using Avx2Gemm = PanelGemm<Avx2Kernels>;
using Avx512Gemm = PanelGemm<Avx512Kernels>;

}  // namespace native_ddp
