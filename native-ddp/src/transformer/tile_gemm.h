#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "threads/thread_pool.h"
#include "transformer/avx2_gemm.h"
#include "transformer/gemm.h"
#include "transformer/tile_loops.h"
#include "transformer/tile_packing.h"

namespace native_ddp {

/**
 * Products of BF16 weights, on tiles: activations are rounded to BF16 while they are packed, sums are FP32. FP32
 * weights are multiplied in FP32, with AVX2, since rounding would make them worse than they were asked for. The bits of
 * an element depend on its own operands alone, not on threads or other rows. Kernels has MultiplyPanels of
 * tile_loops.h.
 *
 * X is packed as a whole, by all threads. Then each thread owns columns of Y and takes them strip by strip: a strip of
 * the weights is packed for kDepthBlock values of k, and all of X passes over it.
 */
template <class Kernels>
class TileGemm final : public Gemm {
 public:
  /** Advances progress with every block done. */
  TileGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress)
      : pool_(pool),
        progress_(progress),
        fp32_(pool, progress),
        packed_weights_(static_cast<std::size_t>(pool.threads())) {}

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override {
    if (weight.type == ElementType::kFloat32) return fp32_.Forward(rows, x, weight, y, output);
    const auto pack = [&weight](int column, int columns, int k, int depth, std::uint16_t* panels) {
      tiles::PackTransposed(columns, depth, weight.Bfloat16(column, k), weight.leading, panels);
    };
    Multiply(rows, weight.rows, weight.columns, x, pack, y, output);
  }

  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override {
    if (weight.type == ElementType::kFloat32) return fp32_.Backward(rows, dy, weight, dx, output);
    const auto pack = [&weight](int column, int columns, int k, int depth, std::uint16_t* panels) {
      tiles::PackStraight(columns, depth, weight.Bfloat16(k, column), weight.leading, panels);
    };
    Multiply(rows, weight.columns, weight.rows, dy, pack, dx, output);
  }

  std::string name(ElementType weights) const override {
    return weights == ElementType::kFloat32 ? fp32_.name(weights) : Kernels::kName;
  }

 private:
  // Two panels of B [kDepthBlock, 32] take 32 KiB of a first-level cache of 48; a strip of B and a block of X take 256
  // and 512 KiB of a second-level cache of 2 MiB.
  static constexpr int kDepthBlock = 512;
  static constexpr int kStrip = 256;
  static constexpr int kRowBlock = 512;
  static constexpr int kColumnUnit = 2 * tiles::kColumns;  // what two panels share
  static_assert(kDepthBlock % tiles::kDepth == 0 && kStrip % kColumnUnit == 0 && kRowBlock % (2 * tiles::kRows) == 0);

  /** Bounds the packed rows to 64 MiB, unless there are few: packing the weights again must cost little. */
  static constexpr int kPackedElements = 32 << 20;
  static constexpr int kFewRows = 512;

  /** Less work than this is not worth waking a thread for. */
  static constexpr std::int64_t kLeastProducts = 4 << 20;
  static constexpr std::int64_t kLeastPacked = 32 << 10;

  /** y[rows, columns] = x[rows, depth] · B; pack(column, columns, k, depth, panels) packs a part of B. */
  template <class Pack>
  void Multiply(int rows, int columns, int depth, StridedInput x, const Pack& pack, StridedOutput y, Output output) {
    if (rows == 0 || columns == 0) return;
    const int most = std::max(kFewRows, kPackedElements / depth);
    if (rows > most) {
      const int half = rows / 2;
      Multiply(half, columns, depth, x, pack, y, output);
      Multiply(rows - half, columns, depth, {x.data + half * x.leading, x.leading}, pack,
               {y.data + half * y.leading, y.leading}, output);
      return;
    }
    const std::int64_t row_panels = (rows + tiles::kRows - 1) / tiles::kRows;
    std::uint16_t* packed_rows =
        packed_rows_.Ensure(static_cast<std::size_t>(row_panels * tiles::PanelElements(depth)));
    // Where the panels begin that hold values from k on: those of all rows for smaller ones come before.
    const auto block_of_rows = [&](int k) { return packed_rows + row_panels * tiles::PanelElements(k); };
    pool_.ForEach(row_panels, 1 + kLeastPacked / (tiles::kRows * depth),
                  [&](std::int64_t begin, std::int64_t end, int) {
                    for (std::int64_t panel = begin; panel < end; ++panel) {
                      const std::int64_t row = panel * tiles::kRows;
                      const int count = static_cast<int>(std::min<std::int64_t>(tiles::kRows, rows - row));
                      for (int k = 0; k < depth; k += kDepthBlock) {
                        const int deep = std::min(kDepthBlock, depth - k);
                        tiles::PackRows(count, deep, x.data + row * x.leading + k, x.leading,
                                        block_of_rows(k) + panel * tiles::PanelElements(deep));
                      }
                    }
                  });

    const int units = (columns + kColumnUnit - 1) / kColumnUnit;
    const std::int64_t unit_products = std::int64_t{rows} * depth * kColumnUnit;
    pool_.ForEach(units, 1 + kLeastProducts / unit_products, [&](std::int64_t begin, std::int64_t end, int thread) {
      const int first = static_cast<int>(begin) * kColumnUnit;
      const int last = std::min(static_cast<int>(end) * kColumnUnit, columns);
      std::uint16_t* strip = packed_weights_[static_cast<std::size_t>(thread)].Ensure(kStrip * kDepthBlock);
      for (int column = first; column < last; column += kStrip) {
        const int width = std::min(kStrip, last - column);
        for (int k = 0; k < depth; k += kDepthBlock) {
          const int deep = std::min(kDepthBlock, depth - k);
          pack(column, width, k, deep, strip);
          const bool accumulate = k > 0 || output == Output::kAccumulate;
          for (int row = 0; row < rows; row += kRowBlock) {
            Kernels::MultiplyPanels(std::min(kRowBlock, rows - row), width, deep,
                                    block_of_rows(k) + row / tiles::kRows * tiles::PanelElements(deep), strip,
                                    accumulate, y.data + row * y.leading + column, y.leading);
          }
        }
        progress_.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }

  ThreadPool& pool_;
  std::atomic<std::uint64_t>& progress_;
  Avx2Gemm fp32_;
  Buffer<std::uint16_t> packed_rows_;
  std::vector<Buffer<std::uint16_t>> packed_weights_;  // one a thread
};

}  // namespace native_ddp
