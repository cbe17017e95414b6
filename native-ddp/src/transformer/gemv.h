#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "threads/thread_pool.h"
#include "transformer/gemm.h"
#include "transformer/gemv_kernels.h"

namespace native_ddp {

/**
 * Products of few rows, as decoding has them: the time is that of reading the weights once, so they are multiplied
 * straight from where they lie. Every element of a product is the same sequence of operations for any number of threads
 * or other rows, up to kMostRows of them; a product of more rows, which is not done here, may round otherwise.
 */
class Gemv {
 public:
  /** From so many rows on, packing the weights costs less than what it saves. */
  static constexpr int kMostRows = 16;

  /** Advances progress with every block done. The CPU must have the kernels' instructions. */
  Gemv(const GemvKernels& kernels, ThreadPool& pool, std::atomic<std::uint64_t>& progress);

  /** Y[rows, O] = X[rows, I] · Wᵀ, or added to Y; false, and nothing done, if there are too many rows. */
  bool Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output);

 private:
  const GemvKernels& kernels_;
  ThreadPool& pool_;
  std::atomic<std::uint64_t>& progress_;
  std::vector<Buffer<float>> scratch_;  // one a thread: packed rows, then partial sums
};

}  // namespace native_ddp
