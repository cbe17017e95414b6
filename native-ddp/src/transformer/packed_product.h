#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "threads/thread_pool.h"
#include "transformer/gemm.h"

namespace native_ddp {

/**
 * Y [M, N] = X [M, K] · B [K, N] from packed operands, or added to Y. X is packed as a whole, by all threads. Then each
 * thread owns columns of Y and takes them strip by strip: a strip of B is packed for some values of k, and all of X
 * passes over it. So B is read and converted once, what is needed again stays in the second-level cache, and threads
 * wait for each other once. Every element of Y is computed by one thread, in an order that no other row decides.
 *
 * Kernels has
 *   Element                   of packed operands
 *   kPanelRows                rows of X that are packed together
 *   kColumnUnit               columns that one thread must take together
 *   PanelElements(depth)      of a panel of X
 *   kDepthBlock, kStrip       a strip of B: so many values of k of so many columns, in so many elements
 *   kRowBlock                 rows of X that meet a strip before the next rows do
 *   PackRows, MultiplyPanels  as in avx2_kernels.h
 */
template <class Kernels>
class PackedProduct {
 public:
  using Element = typename Kernels::Element;

  /** Advances progress with every strip done. */
  PackedProduct(ThreadPool& pool, std::atomic<std::uint64_t>& progress)
      : pool_(pool), progress_(progress), packed_weights_(static_cast<std::size_t>(pool.threads())) {}

  /** pack(column, columns, k, depth, strip) packs a part of B. */
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
    PackRows(rows, depth, x);
    const int units = (columns + Kernels::kColumnUnit - 1) / Kernels::kColumnUnit;
    const std::int64_t unit_products = std::int64_t{rows} * depth * Kernels::kColumnUnit;
    pool_.ForEach(units, 1 + kLeastProducts / unit_products, [&](std::int64_t begin, std::int64_t end, int thread) {
      const int first = static_cast<int>(begin) * Kernels::kColumnUnit;
      const int last = std::min(static_cast<int>(end) * Kernels::kColumnUnit, columns);
      Element* strip = packed_weights_[static_cast<std::size_t>(thread)].Ensure(Kernels::kStrip * Kernels::kDepthBlock);
      for (int column = first; column < last; column += Kernels::kStrip) {
        const int width = std::min(Kernels::kStrip, last - column);
        for (int k = 0; k < depth; k += Kernels::kDepthBlock) {
          const int deep = std::min(Kernels::kDepthBlock, depth - k);
          pack(column, width, k, deep, strip);
          const bool accumulate = k > 0 || output == Output::kAccumulate;
          for (int row = 0; row < rows; row += Kernels::kRowBlock) {
            Kernels::MultiplyPanels(std::min(Kernels::kRowBlock, rows - row), width, deep, Panel(rows, row, k, deep),
                                    strip, accumulate, y.data + row * y.leading + column, y.leading);
          }
        }
        progress_.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }

 private:
  static_assert(Kernels::kStrip % Kernels::kColumnUnit == 0 && Kernels::kRowBlock % Kernels::kPanelRows == 0);

  /** Bounds the packed rows to 64 MiB, unless there are few: packing the weights again must cost little. */
  static constexpr int kPackedElements = (64 << 20) / static_cast<int>(sizeof(Element));
  static constexpr int kFewRows = 256;

  /** Less work than this is not worth waking a thread for. */
  static constexpr std::int64_t kLeastProducts = 1 << 18;
  static constexpr std::int64_t kLeastPacked = 16 << 10;

  static std::int64_t Panels(int rows) { return (rows + Kernels::kPanelRows - 1) / Kernels::kPanelRows; }

  /** The panel that begins with `row`, of `deep` values from k on: those of all rows for smaller ones come before. */
  Element* Panel(int rows, std::int64_t row, int k, int deep) {
    return packed_rows_.data() + Panels(rows) * Kernels::PanelElements(k) +
           row / Kernels::kPanelRows * Kernels::PanelElements(deep);
  }

  void PackRows(int rows, int depth, StridedInput x) {
    packed_rows_.Ensure(static_cast<std::size_t>(Panels(rows) * Kernels::PanelElements(depth)));
    pool_.ForEach(
        Panels(rows), 1 + kLeastPacked / Kernels::PanelElements(depth), [&](std::int64_t begin, std::int64_t end, int) {
          for (std::int64_t panel = begin; panel < end; ++panel) {
            const std::int64_t row = panel * Kernels::kPanelRows;
            const int count = static_cast<int>(std::min<std::int64_t>(Kernels::kPanelRows, rows - row));
            for (int k = 0; k < depth; k += Kernels::kDepthBlock) {
              const int deep = std::min(Kernels::kDepthBlock, depth - k);
              Kernels::PackRows(count, deep, x.data + row * x.leading + k, x.leading, Panel(rows, row, k, deep));
            }
          }
        });
  }

  ThreadPool& pool_;
  std::atomic<std::uint64_t>& progress_;
  Buffer<Element> packed_rows_;
  std::vector<Buffer<Element>> packed_weights_;  // one a thread
};

}  // namespace native_ddp
