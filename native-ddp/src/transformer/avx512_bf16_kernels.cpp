#include "transformer/avx512_bf16_kernels.h"

#include <immintrin.h>

#include "transformer/kernel_inline.h"
#include "transformer/tile_loops.h"

// This file is compiled for AVX512-BF16, and like the other kernels it includes nothing of the standard library with
// code in it.
namespace native_ddp::avx512_bf16 {
namespace {

using tiles::kColumns;
using tiles::kDepth;
using tiles::kRows;
using tiles::kTileElements;

constexpr int kBlockRows = 8;  // half a panel of A
constexpr int kBlockPanels = 3;
static_assert(kRows % kBlockRows == 0);

constexpr __mmask16 kWhole = 0xffff;
using Pair __attribute__((may_alias)) = int;  // two BF16, as they lie beside each other

#define FOR_EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

ALWAYS_INLINE void Store(__m512 sum, bool accumulate, __mmask16 columns, float* c) {
  if (accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(columns, c));
  _mm512_mask_storeu_ps(c, columns, sum);
}

/**
 * A block of C: 24 sums, so that the latency of a dot product is hidden. They are named one by one: in an array, gcc 12
 * keeps them in memory. `last` are the columns of the last panel.
 */
template <int kPanels>
void MultiplyBlock(int rows, __mmask16 last, std::int64_t panel, const std::uint16_t* a, const std::uint16_t* b,
                   bool accumulate, float* c, std::int64_t leading) {
#define DECLARE(r) __m512 first##r = _mm512_setzero_ps(), second##r = first##r, third##r = first##r;
  FOR_EACH_ROW(DECLARE)
#undef DECLARE
  for (int row = 0; row < rows; ++row) _mm_prefetch(reinterpret_cast<const char*>(c + row * leading), _MM_HINT_T0);
  for (std::int64_t at = 0; at < panel; at += kTileElements) {
    const std::uint16_t* tile_a = a + at;
    const std::uint16_t* tile_b = b + at;
#pragma GCC unroll 2
    for (int pair = 0; pair < kDepth / 2; ++pair, tile_a += 2, tile_b += 2 * kColumns) {
      const auto b_first = reinterpret_cast<__m512bh>(_mm512_load_si512(tile_b));
      const auto b_second = reinterpret_cast<__m512bh>(_mm512_load_si512(tile_b + (kPanels > 1 ? panel : 0)));
      const auto b_third = reinterpret_cast<__m512bh>(_mm512_load_si512(tile_b + (kPanels > 2 ? 2 * panel : 0)));
#define STEP(r)                                                                                               \
  {                                                                                                           \
    const auto value =                                                                                        \
        reinterpret_cast<__m512bh>(_mm512_set1_epi32(*reinterpret_cast<const Pair*>(tile_a + (r) * kDepth))); \
    first##r = _mm512_dpbf16_ps(first##r, value, b_first);                                                    \
    if constexpr (kPanels > 1) second##r = _mm512_dpbf16_ps(second##r, value, b_second);                      \
    if constexpr (kPanels > 2) third##r = _mm512_dpbf16_ps(third##r, value, b_third);                         \
  }
      FOR_EACH_ROW(STEP)
#undef STEP
    }
  }
#define STORE(r)                                                                                          \
  if (r < rows) {                                                                                         \
    float* to = c + r * leading;                                                                          \
    Store(first##r, accumulate, kPanels == 1 ? last : kWhole, to);                                        \
    if constexpr (kPanels > 1) Store(second##r, accumulate, kPanels == 2 ? last : kWhole, to + kColumns); \
    if constexpr (kPanels > 2) Store(third##r, accumulate, last, to + 2 * kColumns);                      \
  }
  FOR_EACH_ROW(STORE)
#undef STORE
}

}  // namespace

void MultiplyPanels(int rows, int columns, int depth, const std::uint16_t* a, const std::uint16_t* b, bool accumulate,
                    float* c, std::int64_t leading) {
  const std::int64_t panel = tiles::PanelElements(depth);
  // B's panels of a block stay in the first-level cache while all of A passes over them.
  for (int column = 0; column < columns; column += kBlockPanels * kColumns, b += kBlockPanels * panel) {
    const int width = Least(columns - column, kBlockPanels * kColumns);
    const int panels = (width + kColumns - 1) / kColumns;
    const auto last = static_cast<__mmask16>((1U << (width - (panels - 1) * kColumns)) - 1);
    for (int row = 0; row < rows; row += kBlockRows) {
      const std::uint16_t* block_of_a = a + row / kRows * panel + row % kRows * kDepth;
      float* block = c + row * leading + column;
      const int height = Least(rows - row, kBlockRows);
      if (panels == 3) {
        MultiplyBlock<3>(height, last, panel, block_of_a, b, accumulate, block, leading);
      } else if (panels == 2) {
        MultiplyBlock<2>(height, last, panel, block_of_a, b, accumulate, block, leading);
      } else {
        MultiplyBlock<1>(height, last, panel, block_of_a, b, accumulate, block, leading);
      }
    }
  }
}

}  // namespace native_ddp::avx512_bf16
