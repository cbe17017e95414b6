#include "transformer/avx512_kernels.h"

#include <immintrin.h>

#include "transformer/kernel_inline.h"
#include "transformer/transpose_words.h"

// This file is compiled for AVX-512 F, BW and VL, and like the other kernels it includes nothing of the standard
// library with code in it.
namespace native_ddp {
namespace {

constexpr int kPanelRows = Avx512Kernels::kPanelRows;
constexpr int kPanelColumns = Avx512Kernels::kColumnUnit;

constexpr int kVector = 16;
static_assert(kPanelColumns == 2 * kVector && kPanelRows <= kVector);

/** The first `count` of 16 lanes. */
ALWAYS_INLINE __mmask16 First(int count) {
  return count >= kVector ? __mmask16{0xffff} : static_cast<__mmask16>((1U << (count > 0 ? count : 0)) - 1);
}

/** 16 values, of which those of the mask are read and the others are zero. */
ALWAYS_INLINE __m512 Load(const float* from, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, from); }

ALWAYS_INLINE __m512 Load(const std::uint16_t* from, __mmask16 mask) {
  const __m512i words = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
}

/** The first `depth` values of 16 rows beside each other, as to[k * kPanelColumns + row]. */
ALWAYS_INLINE void StoreTransposed(__m512i (&rows)[kVector], int depth, const float*, float* to) {
  TransposeWords(rows);
#pragma GCC unroll 16
  for (int k = 0; k < kVector; ++k) {
    if (k < depth) _mm512_store_si512(to + k * kPanelColumns, rows[k]);
  }
}

/** Of BF16 a word of a row holds two values: pairs are transposed, and converted when they are taken apart. */
ALWAYS_INLINE void StoreTransposed(__m512i (&rows)[kVector], int depth, const std::uint16_t*, float* to) {
  const __m512i high = _mm512_set1_epi32(static_cast<int>(0xffff0000U));
  TransposeWords(rows);
#pragma GCC unroll 16
  for (int pair = 0; pair < kVector; ++pair) {
    const int k = 2 * pair;
    if (k < depth) _mm512_store_si512(to + k * kPanelColumns, _mm512_slli_epi32(rows[pair], 16));
    if (k + 1 < depth) _mm512_store_si512(to + (k + 1) * kPanelColumns, _mm512_and_si512(rows[pair], high));
  }
}

ALWAYS_INLINE __m512i LoadWords(const float* from, int count) { return _mm512_maskz_loadu_epi32(First(count), from); }

ALWAYS_INLINE __m512i LoadWords(const std::uint16_t* from, int count) {
  const auto mask = count >= 2 * kVector ? ~__mmask32{0} : static_cast<__mmask32>((1U << count) - 1);
  return _mm512_maskz_loadu_epi16(mask, from);
}

template <class Element>
void PackTransposedPanels(int columns, int depth, const Element* w, std::int64_t leading, float* panels) {
  constexpr int kStep = 64 / static_cast<int>(sizeof(Element));
  for (int first = 0; first < columns; first += kPanelColumns, panels += std::int64_t{kPanelColumns} * depth) {
    for (int half = 0; half < kPanelColumns; half += kVector) {
      const int width = columns - first - half;
      for (int k = 0; k < depth; k += kStep) {
        const Element* from = w + (first + half) * leading + k;
        __m512i rows[kVector];
#pragma GCC unroll 16
        for (int row = 0; row < kVector; ++row) {
          rows[row] = row < width ? LoadWords(from + row * leading, depth - k) : _mm512_setzero_si512();
        }
        StoreTransposed(rows, depth - k, w, panels + k * kPanelColumns + half);
      }
    }
  }
}

template <class Element>
void PackStraightPanels(int columns, int depth, const Element* w, std::int64_t leading, float* panels) {
  for (int first = 0; first < columns; first += kPanelColumns) {
    const __mmask16 low = First(columns - first);
    const __mmask16 high = First(columns - first - kVector);
    const Element* from = w + first;
    for (int k = 0; k < depth; ++k, from += leading, panels += kPanelColumns) {
      _mm512_store_ps(panels, Load(from, low));
      _mm512_store_ps(panels + kVector, high == 0 ? _mm512_setzero_ps() : Load(from + kVector, high));
    }
  }
}

#define FOR_EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

ALWAYS_INLINE void Store(__m512 sum, bool accumulate, __mmask16 columns, float* c) {
  if (accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(columns, c));
  _mm512_mask_storeu_ps(c, columns, sum);
}

/** One tile of C, whose sums are named one by one: in an array, gcc 12 keeps them in memory. */
template <int kRows>
void MultiplyTile(int rows, int columns, int depth, const float* a, const float* b, bool accumulate, float* c,
                  std::int64_t leading) {
#define DECLARE(r) __m512 low##r = _mm512_setzero_ps(), high##r = low##r;
  FOR_EACH_ROW(DECLARE)
#undef DECLARE
  for (int row = 0; row < rows; ++row) {
    _mm_prefetch(reinterpret_cast<const char*>(c + row * leading), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(c + row * leading + kVector), _MM_HINT_T0);
  }
#pragma GCC unroll 4
  for (int k = 0; k < depth; ++k, a += kPanelRows, b += kPanelColumns) {
    // Panels of A come from the second-level cache, those of B stay in the first.
    _mm_prefetch(reinterpret_cast<const char*>(a + 32 * kPanelRows), _MM_HINT_T0);
    const __m512 b_low = _mm512_load_ps(b);
    const __m512 b_high = _mm512_load_ps(b + kVector);
#define STEP(r)                                        \
  if constexpr (r < kRows) {                           \
    const __m512 value = _mm512_set1_ps(a[r]);         \
    low##r = _mm512_fmadd_ps(value, b_low, low##r);    \
    high##r = _mm512_fmadd_ps(value, b_high, high##r); \
  }
    FOR_EACH_ROW(STEP)
#undef STEP
  }
  const __mmask16 low = First(columns);
  const __mmask16 high = First(columns - kVector);
#define STORE(r)                                                 \
  if (r < rows) {                                                \
    Store(low##r, accumulate, low, c + r * leading);             \
    Store(high##r, accumulate, high, c + r * leading + kVector); \
  }
  FOR_EACH_ROW(STORE)
#undef STORE
}

}  // namespace

void Avx512Kernels::PackRows(int rows, int depth, const float* x, std::int64_t leading, float* panel) {
  for (int k = 0; k < depth; k += kVector) {
    __m512i words[kVector];
#pragma GCC unroll 16
    for (int row = 0; row < kVector; ++row) {
      words[row] = row < rows ? LoadWords(x + row * leading + k, depth - k) : _mm512_setzero_si512();
    }
    TransposeWords(words);
#pragma GCC unroll 16
    for (int i = 0; i < kVector; ++i) {
      if (k + i < depth) _mm512_mask_storeu_epi32(panel + (k + i) * kPanelRows, First(kPanelRows), words[i]);
    }
  }
}

void Avx512Kernels::PackTransposed(int columns, int depth, const std::uint16_t* w, std::int64_t leading,
                                   float* panels) {
  PackTransposedPanels(columns, depth, w, leading, panels);
}

void Avx512Kernels::PackTransposed(int columns, int depth, const float* w, std::int64_t leading, float* panels) {
  PackTransposedPanels(columns, depth, w, leading, panels);
}

void Avx512Kernels::PackStraight(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels) {
  PackStraightPanels(columns, depth, w, leading, panels);
}

void Avx512Kernels::PackStraight(int columns, int depth, const float* w, std::int64_t leading, float* panels) {
  PackStraightPanels(columns, depth, w, leading, panels);
}

void Avx512Kernels::MultiplyPanels(int rows, int columns, int depth, const float* a, const float* b, bool accumulate,
                                   float* c, std::int64_t leading) {
  for (int column = 0; column < columns; column += kPanelColumns, b += std::int64_t{kPanelColumns} * depth) {
    const int width = Least(kPanelColumns, columns - column);
    for (int row = 0; row < rows; row += kPanelRows) {
      const int height = Least(kPanelRows, rows - row);
      const auto multiply = height > 8 ? MultiplyTile<12> : height > 4 ? MultiplyTile<8> : MultiplyTile<4>;
      multiply(height, width, depth, a + std::int64_t{row} * depth, b, accumulate, c + row * leading + column, leading);
    }
  }
}

}  // namespace native_ddp
