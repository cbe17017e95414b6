#pragma once

#include <cstdint>

#include "transformer/gemv_kernels.h"
#include "transformer/kernel_inline.h"

// The loops of GemvKernels over the vectors of one instruction set. Only files compiled for one include this, each with
// a Vector type of its own in an unnamed namespace, so that no instantiation is shared between them.
//
// A block is 2 · kLanes values of k. Of BF16 that is one register, whose even and odd places become two registers of
// FP32; so x is packed with the even places of a block ahead of its odd ones. A panel of x is kPanelRows rows (the last
// one fewer), block by block.
namespace native_ddp::gemv {

constexpr int kChunkBytes = 16 << 10;   // of a panel of x: half of a first-level cache of 32 KiB
constexpr int kGroupBytes = 128 << 10;  // of w; as much is prefetched ahead, into the second-level cache
constexpr int kLeastGroup = 4;
constexpr int kCacheLine = 64;

template <class Vector>
constexpr int kBlock = 2 * Vector::kLanes;

template <class Vector, class Element>
void PackRows(int rows, int depth, const float* x, std::int64_t leading, float* packed) {
  constexpr bool kPairs = sizeof(Element) == sizeof(std::uint16_t);
  for (int first = 0; first < rows; first += Vector::kPanelRows) {
    const int last = first + Vector::kPanelRows < rows ? first + Vector::kPanelRows : rows;
    for (int k = 0; k < depth; k += kBlock<Vector>) {
      for (int row = first; row < last; ++row, packed += kBlock<Vector>) {
        const float* from = x + row * leading;
        for (int i = 0; i < kBlock<Vector>; ++i) {
          packed[kPairs ? i % 2 * Vector::kLanes + i / 2 : i] = k + i < depth ? from[k + i] : 0.0F;
        }
      }
    }
  }
}

template <class Vector>
ALWAYS_INLINE void LoadBlock(const std::uint16_t* w, typename Vector::Floats& first, typename Vector::Floats& second) {
  Vector::EvenAndOdd(w, first, second);
}

template <class Vector>
ALWAYS_INLINE void LoadBlock(const float* w, typename Vector::Floats& first, typename Vector::Floats& second) {
  first = Vector::Load(w);
  second = Vector::Load(w + Vector::kLanes);
}

/** Where the lanes of a sum are kept between chunks of k: [outputs, rows, lanes]. */
struct PartialSums {
  float* data;
  std::int64_t leading;
  bool begin;  // what is there is not read
};

/** Adds `blocks` blocks of kOutputs rows of w, times kRows rows of x. Prefetches w `ahead` elements further on. */
template <class Vector, int kRows, int kOutputs, class Element>
ALWAYS_INLINE void MultiplyTile(int blocks, const float* x, const Element* w, std::int64_t leading, std::int64_t ahead,
                                const PartialSums& sums) {
  constexpr int kLanes = Vector::kLanes;
  typename Vector::Floats sum[kOutputs][kRows];
#pragma GCC unroll 16
  for (int o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      sum[o][r] = sums.begin ? Vector::Zero() : Vector::Load(sums.data + o * sums.leading + r * kLanes);
    }
  }
  for (int block = 0; block < blocks; ++block) {
#pragma GCC unroll 16
    for (int o = 0; o < kOutputs; ++o) {
      const Element* row = w + o * leading;
      typename Vector::Floats first, second;
      LoadBlock<Vector>(row, first, second);
#pragma GCC unroll 2
      for (int i = 0; i < kBlock<Vector>; i += kCacheLine / static_cast<int>(sizeof(Element))) {
        __builtin_prefetch(row + ahead + i, 0, 2);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        sum[o][r] = Vector::MultiplyAdd(first, Vector::Load(x + r * kBlock<Vector>), sum[o][r]);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        sum[o][r] = Vector::MultiplyAdd(second, Vector::Load(x + r * kBlock<Vector> + kLanes), sum[o][r]);
      }
    }
    w += kBlock<Vector>;
    x += kRows * kBlock<Vector>;
  }
#pragma GCC unroll 16
  for (int o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) Vector::Store(sum[o][r], sums.data + o * sums.leading + r * kLanes);
  }
}

/** A chunk of k: of a panel of x, and of some rows of w. */
template <class Element>
struct Chunk {
  int depth;
  int outputs;
  const float* x;
  const Element* w;
  std::int64_t leading;
  std::int64_t ahead;
  PartialSums sums;
};

template <class Vector, int kRows, class Element>
void MultiplyPanel(const Chunk<Element>& chunk) {
  constexpr int kOutputs = Vector::OutputsAtOnce(kRows);
  const int blocks = chunk.depth / kBlock<Vector>;
  const int tail = chunk.depth % kBlock<Vector>;
  const auto sums_of = [&chunk](int output, bool begin) {
    return PartialSums{chunk.sums.data + output * chunk.sums.leading, chunk.sums.leading, begin};
  };
  if (blocks > 0) {
    int o = 0;
    for (; o + kOutputs <= chunk.outputs; o += kOutputs) {
      MultiplyTile<Vector, kRows, kOutputs>(blocks, chunk.x, chunk.w + o * chunk.leading, chunk.leading, chunk.ahead,
                                            sums_of(o, chunk.sums.begin));
    }
    for (; o < chunk.outputs; ++o) {
      MultiplyTile<Vector, kRows, 1>(blocks, chunk.x, chunk.w + o * chunk.leading, chunk.leading, chunk.ahead,
                                     sums_of(o, chunk.sums.begin));
    }
  }
  if (tail == 0) return;
  for (int o = 0; o < chunk.outputs; ++o) {
    // Filled up with zeros elsewhere: the row may end where its mapping does.
    Element last[kBlock<Vector>] = {};
    const Element* from = chunk.w + o * chunk.leading + blocks * kBlock<Vector>;
    for (int i = 0; i < tail; ++i) last[i] = from[i];
    MultiplyTile<Vector, kRows, 1>(1, chunk.x + blocks * kRows * kBlock<Vector>, last, 0, 0,
                                   sums_of(o, chunk.sums.begin && blocks == 0));
  }
}

template <class Vector, class Element>
void MultiplyPanel(int rows, const Chunk<Element>& chunk) {
  static_assert(Vector::kPanelRows == 4);
  switch (rows) {
    case 1:
      return MultiplyPanel<Vector, 1>(chunk);
    case 2:
      return MultiplyPanel<Vector, 2>(chunk);
    case 3:
      return MultiplyPanel<Vector, 3>(chunk);
    default:
      return MultiplyPanel<Vector, 4>(chunk);
  }
}

/** Rows of w by group, and in it k by chunk: all panels of x meet a chunk while it is in a near cache. */
template <class Vector, class Element>
void Multiply(const GemvOperands<Element>& p) {
  constexpr int kLanes = Vector::kLanes;
  const std::int64_t padded = (std::int64_t{p.depth} + kBlock<Vector> - 1) / kBlock<Vector> * kBlock<Vector>;
  const int panel_rows = p.rows < Vector::kPanelRows ? p.rows : Vector::kPanelRows;
  const int chunk_elements = kChunkBytes / static_cast<int>(sizeof(float)) / panel_rows;
  const int most_depth = chunk_elements / kBlock<Vector> * kBlock<Vector>;
  const std::int64_t fitting = kGroupBytes / (p.w_leading * static_cast<std::int64_t>(sizeof(Element)));
  const int group = fitting >= GemvKernels::kOutputs ? GemvKernels::kOutputs
                    : fitting > kLeastGroup          ? static_cast<int>(fitting)
                                                     : kLeastGroup;
  const std::int64_t sums_leading = std::int64_t{p.rows} * kLanes;
  for (int output = 0; output < p.outputs; output += group) {
    const int outputs = group < p.outputs - output ? group : p.outputs - output;
    // The next group; never beyond the caller's part, where another thread reads.
    const std::int64_t ahead = output + 2 * group <= p.outputs ? group * p.w_leading : 0;
    for (int k = 0; k < p.depth; k += most_depth) {
      const int depth = most_depth < p.depth - k ? most_depth : p.depth - k;
      for (int row = 0; row < p.rows; row += Vector::kPanelRows) {
        const int rows = Vector::kPanelRows < p.rows - row ? Vector::kPanelRows : p.rows - row;
        MultiplyPanel<Vector, Element>(rows, {depth,
                                              outputs,
                                              p.x + padded * row + std::int64_t{k} * rows,
                                              p.w + output * p.w_leading + k,
                                              p.w_leading,
                                              row == 0 ? ahead : 0,
                                              {p.partial_sums + row * kLanes, sums_leading, k == 0}});
      }
    }
    for (int o = 0; o < outputs; ++o) {
      for (int row = 0; row < p.rows; ++row) {
        const float sum = Vector::Sum(p.partial_sums + o * sums_leading + row * kLanes);
        float* y = p.y + row * p.y_leading + output + o;
        *y = p.accumulate ? *y + sum : sum;
      }
    }
  }
}

}  // namespace native_ddp::gemv
