#include "transformer/avx2_kernels.h"

#include <immintrin.h>

#include "transformer/kernel_inline.h"

// This file is compiled for AVX2 and FMA. It includes nothing of the standard library with code in it: the linker
// might keep this file's copy of an inline function for the whole library, and older CPUs would stop there.
namespace native_ddp {
namespace {

constexpr int kPanelRows = Avx2Kernels::kPanelRows;
constexpr int kPanelColumns = Avx2Kernels::kColumnUnit;

constexpr int kVector = 8;

ALWAYS_INLINE __m256 Load(const float* from) { return _mm256_loadu_ps(from); }

ALWAYS_INLINE __m256 Load(const std::uint16_t* from) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

ALWAYS_INLINE float Value(float value) { return value; }

ALWAYS_INLINE float Value(std::uint16_t value) {
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<int>(std::uint32_t{value} << 16))));
}

ALWAYS_INLINE __m256 Even(__m256 a, __m256 b) { return _mm256_shuffle_ps(a, b, 0x44); }
ALWAYS_INLINE __m256 Odd(__m256 a, __m256 b) { return _mm256_shuffle_ps(a, b, 0xee); }

/** Transposes an 8 x 8 block. */
ALWAYS_INLINE void TransposeBlock(__m256& r0, __m256& r1, __m256& r2, __m256& r3, __m256& r4, __m256& r5, __m256& r6,
                                  __m256& r7) {
  const __m256 t0 = _mm256_unpacklo_ps(r0, r1);
  const __m256 t1 = _mm256_unpackhi_ps(r0, r1);
  const __m256 t2 = _mm256_unpacklo_ps(r2, r3);
  const __m256 t3 = _mm256_unpackhi_ps(r2, r3);
  const __m256 t4 = _mm256_unpacklo_ps(r4, r5);
  const __m256 t5 = _mm256_unpackhi_ps(r4, r5);
  const __m256 t6 = _mm256_unpacklo_ps(r6, r7);
  const __m256 t7 = _mm256_unpackhi_ps(r6, r7);
  const __m256 u0 = Even(t0, t2);
  const __m256 u1 = Odd(t0, t2);
  const __m256 u2 = Even(t1, t3);
  const __m256 u3 = Odd(t1, t3);
  const __m256 u4 = Even(t4, t6);
  const __m256 u5 = Odd(t4, t6);
  const __m256 u6 = Even(t5, t7);
  const __m256 u7 = Odd(t5, t7);
  r0 = _mm256_permute2f128_ps(u0, u4, 0x20);
  r1 = _mm256_permute2f128_ps(u1, u5, 0x20);
  r2 = _mm256_permute2f128_ps(u2, u6, 0x20);
  r3 = _mm256_permute2f128_ps(u3, u7, 0x20);
  r4 = _mm256_permute2f128_ps(u0, u4, 0x31);
  r5 = _mm256_permute2f128_ps(u1, u5, 0x31);
  r6 = _mm256_permute2f128_ps(u2, u6, 0x31);
  r7 = _mm256_permute2f128_ps(u3, u7, 0x31);
}

/** to[k * stride + r] = from[r * leading + k] for r, k in [0, 8). */
template <class Element>
ALWAYS_INLINE void Transpose8x8(const Element* from, std::int64_t leading, float* to) {
  __m256 r0 = Load(from);
  __m256 r1 = Load(from + leading);
  __m256 r2 = Load(from + 2 * leading);
  __m256 r3 = Load(from + 3 * leading);
  __m256 r4 = Load(from + 4 * leading);
  __m256 r5 = Load(from + 5 * leading);
  __m256 r6 = Load(from + 6 * leading);
  __m256 r7 = Load(from + 7 * leading);
  TransposeBlock(r0, r1, r2, r3, r4, r5, r6, r7);
  _mm256_store_ps(to, r0);
  _mm256_store_ps(to + kPanelColumns, r1);
  _mm256_store_ps(to + 2 * kPanelColumns, r2);
  _mm256_store_ps(to + 3 * kPanelColumns, r3);
  _mm256_store_ps(to + 4 * kPanelColumns, r4);
  _mm256_store_ps(to + 5 * kPanelColumns, r5);
  _mm256_store_ps(to + 6 * kPanelColumns, r6);
  _mm256_store_ps(to + 7 * kPanelColumns, r7);
}

template <class Element>
void PackTransposedPanels(int columns, int depth, const Element* w, std::int64_t leading, float* panels) {
  for (int first = 0; first < columns; first += kPanelColumns) {
    const int width = Least(kPanelColumns, columns - first);
    const Element* from = w + first * leading;
    float* panel = panels + std::int64_t{first} * depth;
    int k = 0;
    if (width == kPanelColumns) {
      for (; k + kVector <= depth; k += kVector) {
        Transpose8x8(from + k, leading, panel + k * kPanelColumns);
        Transpose8x8(from + kVector * leading + k, leading, panel + k * kPanelColumns + kVector);
      }
    }
    for (; k < depth; ++k) {
      for (int j = 0; j < kPanelColumns; ++j) {
        panel[k * kPanelColumns + j] = j < width ? Value(from[j * leading + k]) : 0.0F;
      }
    }
  }
}

template <class Element>
void PackStraightPanels(int columns, int depth, const Element* w, std::int64_t leading, float* panels) {
  for (int first = 0; first < columns; first += kPanelColumns) {
    const int width = Least(kPanelColumns, columns - first);
    const Element* from = w + first;
    float* panel = panels + std::int64_t{first} * depth;
    for (int k = 0; k < depth; ++k, from += leading, panel += kPanelColumns) {
      if (width == kPanelColumns) {
        _mm256_store_ps(panel, Load(from));
        _mm256_store_ps(panel + kVector, Load(from + kVector));
      } else {
        for (int j = 0; j < kPanelColumns; ++j) panel[j] = j < width ? Value(from[j]) : 0.0F;
      }
    }
  }
}

ALWAYS_INLINE void MultiplyAdd(const float* a, __m256 b_low, __m256 b_high, __m256& low, __m256& high) {
  const __m256 value = _mm256_broadcast_ss(a);
  low = _mm256_fmadd_ps(value, b_low, low);
  high = _mm256_fmadd_ps(value, b_high, high);
}

ALWAYS_INLINE void Store(__m256 low, __m256 high, bool accumulate, int columns, float* c) {
  if (columns == kPanelColumns) {
    if (accumulate) {
      low = _mm256_add_ps(low, _mm256_loadu_ps(c));
      high = _mm256_add_ps(high, _mm256_loadu_ps(c + kVector));
    }
    _mm256_storeu_ps(c, low);
    _mm256_storeu_ps(c + kVector, high);
    return;
  }
  float values[kPanelColumns];
  _mm256_storeu_ps(values, low);
  _mm256_storeu_ps(values + kVector, high);
  for (int j = 0; j < columns; ++j) c[j] = accumulate ? values[j] + c[j] : values[j];
}

/** One tile of C. The sums are named one by one: in an array, gcc 12 keeps them in memory, at a third of the speed. */
template <int kRows>
void MultiplyTile(int depth, const float* a, const float* b, bool accumulate, int columns, float* c,
                  std::int64_t leading) {
  __m256 low0 = _mm256_setzero_ps(), high0 = low0, low1 = low0, high1 = low0, low2 = low0, high2 = low0;
  __m256 low3 = low0, high3 = low0, low4 = low0, high4 = low0, low5 = low0, high5 = low0;
  for (int row = 0; row < kRows; ++row) _mm_prefetch(reinterpret_cast<const char*>(c + row * leading), _MM_HINT_T0);
#pragma GCC unroll 4
  for (int k = 0; k < depth; ++k) {
    const __m256 b_low = _mm256_load_ps(b);
    const __m256 b_high = _mm256_load_ps(b + kVector);
    MultiplyAdd(a, b_low, b_high, low0, high0);
    if constexpr (kRows > 1) MultiplyAdd(a + 1, b_low, b_high, low1, high1);
    if constexpr (kRows > 2) MultiplyAdd(a + 2, b_low, b_high, low2, high2);
    if constexpr (kRows > 3) MultiplyAdd(a + 3, b_low, b_high, low3, high3);
    if constexpr (kRows > 4) MultiplyAdd(a + 4, b_low, b_high, low4, high4);
    if constexpr (kRows > 5) MultiplyAdd(a + 5, b_low, b_high, low5, high5);
    a += kRows;
    b += kPanelColumns;
  }
  Store(low0, high0, accumulate, columns, c);
  if constexpr (kRows > 1) Store(low1, high1, accumulate, columns, c + leading);
  if constexpr (kRows > 2) Store(low2, high2, accumulate, columns, c + 2 * leading);
  if constexpr (kRows > 3) Store(low3, high3, accumulate, columns, c + 3 * leading);
  if constexpr (kRows > 4) Store(low4, high4, accumulate, columns, c + 4 * leading);
  if constexpr (kRows > 5) Store(low5, high5, accumulate, columns, c + 5 * leading);
}

using Tile = void (*)(int depth, const float* a, const float* b, bool accumulate, int columns, float* c,
                      std::int64_t leading);
constexpr Tile kTiles[] = {nullptr,         MultiplyTile<1>, MultiplyTile<2>, MultiplyTile<3>,
                           MultiplyTile<4>, MultiplyTile<5>, MultiplyTile<6>};
static_assert(sizeof kTiles / sizeof kTiles[0] == kPanelRows + 1);

}  // namespace

void Avx2Kernels::PackRows(int rows, int depth, const float* x, std::int64_t leading, float* panel) {
  int k = 0;
  if (rows == kPanelRows) {
    // Eight elements are stored for each six, the last two to be overwritten: not at the end of the panel.
    for (; k + kVector < depth; k += kVector, panel += kVector * kPanelRows) {
      __m256 r0 = Load(x + k);
      __m256 r1 = Load(x + leading + k);
      __m256 r2 = Load(x + 2 * leading + k);
      __m256 r3 = Load(x + 3 * leading + k);
      __m256 r4 = Load(x + 4 * leading + k);
      __m256 r5 = Load(x + 5 * leading + k);
      __m256 r6 = r4;
      __m256 r7 = r5;
      TransposeBlock(r0, r1, r2, r3, r4, r5, r6, r7);
      _mm256_storeu_ps(panel, r0);
      _mm256_storeu_ps(panel + kPanelRows, r1);
      _mm256_storeu_ps(panel + 2 * kPanelRows, r2);
      _mm256_storeu_ps(panel + 3 * kPanelRows, r3);
      _mm256_storeu_ps(panel + 4 * kPanelRows, r4);
      _mm256_storeu_ps(panel + 5 * kPanelRows, r5);
      _mm256_storeu_ps(panel + 6 * kPanelRows, r6);
      _mm256_storeu_ps(panel + 7 * kPanelRows, r7);
    }
  }
  for (; k < depth; ++k) {
    for (int row = 0; row < rows; ++row) *panel++ = x[row * leading + k];
  }
}

void Avx2Kernels::PackTransposed(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels) {
  PackTransposedPanels(columns, depth, w, leading, panels);
}

void Avx2Kernels::PackTransposed(int columns, int depth, const float* w, std::int64_t leading, float* panels) {
  PackTransposedPanels(columns, depth, w, leading, panels);
}

void Avx2Kernels::PackStraight(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels) {
  PackStraightPanels(columns, depth, w, leading, panels);
}

void Avx2Kernels::PackStraight(int columns, int depth, const float* w, std::int64_t leading, float* panels) {
  PackStraightPanels(columns, depth, w, leading, panels);
}

void Avx2Kernels::MultiplyPanels(int rows, int columns, int depth, const float* a, const float* b, bool accumulate,
                                 float* c, std::int64_t leading) {
  for (int column = 0; column < columns; column += kPanelColumns) {
    const int width = Least(kPanelColumns, columns - column);
    for (int row = 0; row < rows; row += kPanelRows) {
      kTiles[Least(kPanelRows, rows - row)](depth, a + std::int64_t{row} * depth, b + std::int64_t{column} * depth,
                                            accumulate, width, c + row * leading + column, leading);
    }
  }
}

}  // namespace native_ddp
