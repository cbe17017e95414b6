#include "transformer/converting_gemm.h"

#include <algorithm>

#include "transformer/bfloat16.h"

namespace native_ddp {
namespace {

// 2 MiB of FP32: small enough to stay in the second-level cache of a server core, large enough for sgemm to be fast.
constexpr std::int64_t kBlockElements = 512 << 10;
constexpr std::int64_t kLeastRows = 16;

std::int64_t BlockRows(std::int64_t columns) { return std::max(kLeastRows, kBlockElements / columns); }

}  // namespace

ConvertingGemm::ConvertingGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress)
    : pool_(pool), progress_(progress), scratch_(static_cast<std::size_t>(pool.threads())) {}

StridedInput ConvertingGemm::Block(const WeightMatrix& weight, std::int64_t row, std::int64_t rows, std::int64_t column,
                                   std::int64_t columns, int thread) {
  if (weight.type == ElementType::kFloat32) return {weight.Float32(row, column), weight.leading};
  float* block = scratch_[static_cast<std::size_t>(thread)].Ensure(static_cast<std::size_t>(rows * columns));
  for (std::int64_t i = 0; i < rows; ++i) {
    FromBfloat16(columns, weight.Bfloat16(row + i, column), block + i * columns);
  }
  return {block, columns};
}

void ConvertingGemm::Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) {
  const float beta = output == Output::kAccumulate ? 1.0F : 0.0F;
  const std::int64_t step = BlockRows(weight.columns);
  pool_.ForEach(weight.rows, kLeastRows, [&](std::int64_t begin, std::int64_t end, int thread) {
    for (std::int64_t row = begin; row < end; row += step) {
      const std::int64_t count = std::min(step, end - row);
      const StridedInput block = Block(weight, row, count, 0, weight.columns, thread);
      Sgemm(Transpose::kNo, Transpose::kYes, rows, static_cast<int>(count), weight.columns, 1, x, block, beta,
            {y.data + row, y.leading});
      progress_.fetch_add(1, std::memory_order_relaxed);
    }
  });
}

void ConvertingGemm::Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) {
  pool_.ForEach(weight.columns, kLeastRows, [&](std::int64_t begin, std::int64_t end, int thread) {
    const std::int64_t columns = end - begin;
    const std::int64_t step = BlockRows(columns);
    for (std::int64_t row = 0; row < weight.rows; row += step) {
      const std::int64_t count = std::min<std::int64_t>(step, weight.rows - row);
      const StridedInput block = Block(weight, row, count, begin, columns, thread);
      const float beta = row > 0 || output == Output::kAccumulate ? 1.0F : 0.0F;
      Sgemm(Transpose::kNo, Transpose::kNo, rows, static_cast<int>(columns), static_cast<int>(count), 1,
            {dy.data + row, dy.leading}, block, beta, {dx.data + begin, dx.leading});
      progress_.fetch_add(1, std::memory_order_relaxed);
    }
  });
}

}  // namespace native_ddp
