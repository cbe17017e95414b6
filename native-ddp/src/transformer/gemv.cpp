#include "transformer/gemv.h"

#include <algorithm>

namespace native_ddp {
namespace {

/** Less work than this is not worth waking a thread for. */
constexpr std::int64_t kLeastProducts = 1 << 18;

/** Rows of W between two signs of progress. */
constexpr std::int64_t kProgressRows = 1024;

}  // namespace

Gemv::Gemv(const GemvKernels& kernels, ThreadPool& pool, std::atomic<std::uint64_t>& progress)
    : kernels_(kernels), pool_(pool), progress_(progress), scratch_(static_cast<std::size_t>(pool.threads())) {}

bool Gemv::Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) {
  if (rows > kMostRows) return false;
  if (rows == 0) return true;
  const int depth = weight.columns;
  const std::int64_t packed_elements = kernels_.PackedElements(rows, depth);
  const bool bfloat16 = weight.type == ElementType::kBfloat16;
  const bool accumulate = output == Output::kAccumulate;
  const std::int64_t least = 1 + kLeastProducts / (std::int64_t{rows} * depth);
  pool_.ForEach(weight.rows, least, [&](std::int64_t begin, std::int64_t end, int thread) {
    float* packed = scratch_[static_cast<std::size_t>(thread)].Ensure(
        static_cast<std::size_t>(packed_elements + kernels_.PartialSums(rows)));
    float* partial_sums = packed + packed_elements;
    // By each thread for itself: little work, and no thread waits for another.
    (bfloat16 ? kernels_.pack_for_bfloat16 : kernels_.pack_for_float32)(rows, depth, x.data, x.leading, packed);
    for (std::int64_t row = begin; row < end; row += kProgressRows) {
      const int outputs = static_cast<int>(std::min(kProgressRows, end - row));
      const auto multiply = [&](const auto& kernel, const auto* w) {
        kernel({rows, outputs, depth, packed, w, weight.leading, accumulate, y.data + row, y.leading, partial_sums});
      };
      if (bfloat16) {
        multiply(kernels_.multiply_bfloat16, weight.Bfloat16(row, 0));
      } else {
        multiply(kernels_.multiply_float32, weight.Float32(row, 0));
      }
      progress_.fetch_add(1, std::memory_order_relaxed);
    }
  });
  return true;
}

}  // namespace native_ddp
