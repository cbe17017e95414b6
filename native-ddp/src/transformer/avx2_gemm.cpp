#include "transformer/avx2_gemm.h"

#include <algorithm>

#include "transformer/avx2_kernels.h"

// X [M, K] times B [K, N], B a weight matrix or its transpose.
//   X is packed as a whole, by all threads. Then each thread owns columns of Y and takes them strip by strip: a strip
//   of B is packed for kDepth values of k, and all of X passes over it. So B is read and converted once, a strip of Y
//   and of packed B stay in the second-level cache, and threads wait for each other once.
namespace native_ddp {
namespace {

constexpr int kDepth = 256;  // a panel of B [kDepth, 16] and one of X fit into a first-level cache of 32 KiB
constexpr int kStrip = 256;
constexpr int kRowBlock = 72;  // rows of X that meet a strip's panels before the next rows do
static_assert(kStrip % avx2::kPanelColumns == 0 && kRowBlock % avx2::kPanelRows == 0);

/** Bounds the packed rows to 64 MiB, unless there are few: packing the weights again must cost little. */
constexpr int kPackedElements = 16 << 20;
constexpr int kFewRows = 256;

/** Less work than this is not worth waking a thread for. */
constexpr int kLeastProducts = 1 << 18;

}  // namespace

Avx2Gemm::Avx2Gemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress)
    : pool_(pool),
      progress_(progress),
      gemv_(kAvx2GemvKernels, pool, progress),
      packed_weights_(static_cast<std::size_t>(pool.threads())) {}

template <class Pack>
void Avx2Gemm::Multiply(int rows, int columns, int depth, StridedInput x, const Pack& pack, StridedOutput y,
                        Output output) {
  if (rows == 0 || columns == 0) return;
  const int most = std::max(kFewRows, kPackedElements / depth);
  if (rows > most) {
    const int half = rows / 2;
    Multiply(half, columns, depth, x, pack, y, output);
    Multiply(rows - half, columns, depth, {x.data + half * x.leading, x.leading}, pack,
             {y.data + half * y.leading, y.leading}, output);
    return;
  }
  float* packed_rows = packed_rows_.Ensure(static_cast<std::size_t>(rows) * static_cast<std::size_t>(depth));
  const int row_panels = (rows + avx2::kPanelRows - 1) / avx2::kPanelRows;
  pool_.ForEach(row_panels, 1 + kLeastProducts / 16 / depth, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin * avx2::kPanelRows; row < std::min<std::int64_t>(end * avx2::kPanelRows, rows);
         row += avx2::kPanelRows) {
      const int count = static_cast<int>(std::min<std::int64_t>(avx2::kPanelRows, rows - row));
      for (int k = 0; k < depth; k += kDepth) {
        const int deep = std::min(kDepth, depth - k);
        avx2::PackRows(count, deep, x.data + row * x.leading + k, x.leading,
                       packed_rows + std::int64_t{rows} * k + row * deep);
      }
    }
  });

  const int column_panels = (columns + avx2::kPanelColumns - 1) / avx2::kPanelColumns;
  const std::int64_t panel_products = std::int64_t{rows} * depth * avx2::kPanelColumns;
  pool_.ForEach(column_panels, 1 + kLeastProducts / panel_products,
                [&](std::int64_t begin, std::int64_t end, int thread) {
                  const int first = static_cast<int>(begin) * avx2::kPanelColumns;
                  const int last = std::min(static_cast<int>(end) * avx2::kPanelColumns, columns);
                  float* strip = packed_weights_[static_cast<std::size_t>(thread)].Ensure(kStrip * kDepth);
                  for (int column = first; column < last; column += kStrip) {
                    const int width = std::min(kStrip, last - column);
                    for (int k = 0; k < depth; k += kDepth) {
                      const int deep = std::min(kDepth, depth - k);
                      pack(column, width, k, deep, strip);
                      const bool accumulate = k > 0 || output == Output::kAccumulate;
                      for (int row = 0; row < rows; row += kRowBlock) {
                        avx2::MultiplyPanels(std::min(kRowBlock, rows - row), width, deep,
                                             packed_rows + std::int64_t{rows} * k + std::int64_t{row} * deep, strip,
                                             accumulate, y.data + row * y.leading + column, y.leading);
                      }
                    }
                    progress_.fetch_add(1, std::memory_order_relaxed);
                  }
                });
}

void Avx2Gemm::Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) {
  if (gemv_.Forward(rows, x, weight, y, output)) return;
  const auto pack = [&weight](int column, int columns, int k, int depth, float* panels) {
    if (weight.type == ElementType::kFloat32) {
      avx2::PackTransposed(columns, depth, weight.Float32(column, k), weight.leading, panels);
    } else {
      avx2::PackTransposed(columns, depth, weight.Bfloat16(column, k), weight.leading, panels);
    }
  };
  Multiply(rows, weight.rows, weight.columns, x, pack, y, output);
}

void Avx2Gemm::Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) {
  const auto pack = [&weight](int column, int columns, int k, int depth, float* panels) {
    if (weight.type == ElementType::kFloat32) {
      avx2::PackStraight(columns, depth, weight.Float32(k, column), weight.leading, panels);
    } else {
      avx2::PackStraight(columns, depth, weight.Bfloat16(k, column), weight.leading, panels);
    }
  };
  Multiply(rows, weight.columns, weight.rows, dy, pack, dx, output);
}

}  // namespace native_ddp
