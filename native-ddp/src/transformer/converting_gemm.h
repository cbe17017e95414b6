#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "threads/thread_pool.h"
#include "transformer/gemm.h"

namespace native_ddp {

/** Converts a block of BF16 weights to FP32, then multiplies with sgemm. FP32 weights are multiplied where they lie. */
class ConvertingGemm final : public Gemm {
 public:
  /** Advances progress with every block done. */
  ConvertingGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress);

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override;
  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override;
  std::string name(ElementType) const override { return "sgemm"; }

 private:
  /** Rows and columns of W as FP32: where they lie, or converted into the thread's scratch memory. */
  StridedInput Block(const WeightMatrix& weight, std::int64_t row, std::int64_t rows, std::int64_t column,
                     std::int64_t columns, int thread);

  ThreadPool& pool_;
  std::atomic<std::uint64_t>& progress_;
  std::vector<Buffer<float>> scratch_;  // one a thread
};

}  // namespace native_ddp
