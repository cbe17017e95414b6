#include <immintrin.h>

#include "transformer/gemv_loops.h"

// This file is compiled for AVX-512 F; it includes nothing of the standard library with code in it.
namespace native_ddp {
namespace {

struct Avx512Vector {
  using Floats = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kPanelRows = 4;
  static constexpr int OutputsAtOnce(int) { return 4; }

  static ALWAYS_INLINE Floats Zero() { return _mm512_setzero_ps(); }
  static ALWAYS_INLINE Floats Load(const float* from) { return _mm512_loadu_ps(from); }
  static ALWAYS_INLINE void Store(Floats values, float* to) { _mm512_storeu_ps(to, values); }
  static ALWAYS_INLINE Floats MultiplyAdd(Floats a, Floats b, Floats sum) { return _mm512_fmadd_ps(a, b, sum); }
  static ALWAYS_INLINE void EvenAndOdd(const std::uint16_t* from, Floats& even, Floats& odd) {
    const __m512i bits = _mm512_loadu_si512(from);
    even = _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
    odd = _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
  }
  static ALWAYS_INLINE float Sum(const float* lanes) {
    const __m256 halves = _mm256_add_ps(_mm256_loadu_ps(lanes), _mm256_loadu_ps(lanes + 8));
    const __m128 quarters = _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
    const __m128 pairs = _mm_add_ps(quarters, _mm_movehl_ps(quarters, quarters));
    return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)));
  }
};

}  // namespace

const GemvKernels kAvx512GemvKernels = {
    Avx512Vector::kLanes, gemv::PackRows<Avx512Vector, std::uint16_t>, gemv::PackRows<Avx512Vector, float>,
    gemv::Multiply<Avx512Vector, std::uint16_t>, gemv::Multiply<Avx512Vector, float>};

}  // namespace native_ddp
