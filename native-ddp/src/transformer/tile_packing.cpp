#include "transformer/tile_packing.h"

#include <immintrin.h>

#include "transformer/kernel_inline.h"
#include "transformer/tile_loops.h"
#include "transformer/transpose_words.h"

// This file is compiled for AVX512-BF16, and like the other kernels it includes nothing of the standard library
// with code in it.
namespace native_ddp::tiles {
namespace {

static_assert(kRows == 16 && kColumns == 16 && kDepth == 32);

/** The first `count` of 32 lanes. */
ALWAYS_INLINE __mmask32 First(int count) {
  return count >= kDepth ? ~__mmask32{0} : static_cast<__mmask32>((std::uint32_t{1} << count) - 1);
}

/** 32 BF16 of a row, of which `mask` are read and the others are zero. */
ALWAYS_INLINE __m512i Load(const std::uint16_t* from, __mmask32 mask) { return _mm512_maskz_loadu_epi16(mask, from); }

ALWAYS_INLINE __m512i Load(const float* from, __mmask32 mask) {
  const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from);
  const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), from + 16);
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

}  // namespace

void PackRows(int rows, int depth, const float* x, std::int64_t leading, std::uint16_t* panel) {
  for (int k = 0; k < depth; k += kDepth, panel += kTileElements) {
    const __mmask32 mask = First(depth - k);
    for (int row = 0; row < kRows; ++row) {
      _mm512_store_si512(panel + row * kDepth, row < rows ? Load(x + row * leading + k, mask) : _mm512_setzero_si512());
    }
  }
}

void PackTransposed(int columns, int depth, const std::uint16_t* w, std::int64_t leading, std::uint16_t* panels) {
  for (int first = 0; first < columns; first += kColumns) {
    const int width = Least(kColumns, columns - first);
    for (int k = 0; k < depth; k += kDepth, panels += kTileElements) {
      const __mmask32 mask = First(depth - k);
      const std::uint16_t* from = w + first * leading + k;
      __m512i rows[kRows];
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) {
        rows[row] = row < width ? Load(from + row * leading, mask) : _mm512_setzero_si512();
      }
      TransposeWords(rows);
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) _mm512_store_si512(panels + row * kDepth, rows[row]);
    }
  }
}

void PackStraight(int columns, int depth, const std::uint16_t* w, std::int64_t leading, std::uint16_t* panels) {
  // Two panels at a time take the halves of two interleaved rows.
  const __m512i low = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37,
                                       5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
  const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(kColumns));
  const std::int64_t panel = PanelElements(depth);
  for (int first = 0; first < columns; first += 2 * kColumns, panels += 2 * panel) {
    const int width = Least(2 * kColumns, columns - first);
    const __mmask32 mask = First(width);
    std::uint16_t* to = panels;
    for (int k = 0; k < (depth + kDepth - 1) / kDepth * kDepth; k += 2, to += kDepth) {
      const std::uint16_t* from = w + k * leading + first;
      const __m512i even = Load(from, k < depth ? mask : 0);
      const __m512i odd = Load(from + leading, k + 1 < depth ? mask : 0);
      _mm512_store_si512(to, _mm512_permutex2var_epi16(even, low, odd));
      if (width > kColumns) _mm512_store_si512(to + panel, _mm512_permutex2var_epi16(even, high, odd));
    }
  }
}

}  // namespace native_ddp::tiles
