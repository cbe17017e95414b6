#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "threads/thread_pool.h"
#include "transformer/gemm.h"

namespace native_ddp {

/**
 * FP32 products for CPUs with AVX2 and FMA. Weights are converted while they are packed for the inner loops. Every
 * element of a product is the same sequence of operations for any number of threads or other rows, so its bits depend
 * on its own operands alone.
 */
class Avx2Gemm final : public Gemm {
 public:
  /** Advances progress with every block done. */
  Avx2Gemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress);

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override;
  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override;
  std::string name(ElementType) const override { return "avx2"; }

 private:
  /** y[rows, columns] = x[rows, depth] · B; pack(column, columns, k, depth, panels) packs a part of B. */
  template <class Pack>
  void Multiply(int rows, int columns, int depth, StridedInput x, const Pack& pack, StridedOutput y, Output output);

  ThreadPool& pool_;
  std::atomic<std::uint64_t>& progress_;
  Buffer<float> packed_rows_;
  std::vector<Buffer<float>> packed_weights_;  // one a thread
};

}  // namespace native_ddp
