#include <immintrin.h>

#include "transformer/gemv_loops.h"

// This file is compiled for AVX2 and FMA; it includes nothing of the standard library with code in it.
namespace native_ddp {
namespace {

struct Avx2Vector {
  using Floats = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kPanelRows = 4;
  static constexpr int OutputsAtOnce(int rows) { return rows == 1 ? 4 : 2; }

  static ALWAYS_INLINE Floats Zero() { return _mm256_setzero_ps(); }
  static ALWAYS_INLINE Floats Load(const float* from) { return _mm256_loadu_ps(from); }
  static ALWAYS_INLINE void Store(Floats values, float* to) { _mm256_storeu_ps(to, values); }
  static ALWAYS_INLINE Floats MultiplyAdd(Floats a, Floats b, Floats sum) { return _mm256_fmadd_ps(a, b, sum); }
  static ALWAYS_INLINE void EvenAndOdd(const std::uint16_t* from, Floats& even, Floats& odd) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    even = _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
    odd = _mm256_castsi256_ps(_mm256_and_si256(bits, _mm256_set1_epi32(static_cast<int>(0xffff0000))));
  }
  static ALWAYS_INLINE float Sum(const float* lanes) {
    const __m128 quarters = _mm_add_ps(_mm_loadu_ps(lanes), _mm_loadu_ps(lanes + 4));
    const __m128 pairs = _mm_add_ps(quarters, _mm_movehl_ps(quarters, quarters));
    return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)));
  }
};

}  // namespace

const GemvKernels kAvx2GemvKernels = {Avx2Vector::kLanes, gemv::PackRows<Avx2Vector, std::uint16_t>,
                                      gemv::PackRows<Avx2Vector, float>, gemv::Multiply<Avx2Vector, std::uint16_t>,
                                      gemv::Multiply<Avx2Vector, float>};

}  // namespace native_ddp
