#pragma once

#include <cstdint>

namespace native_ddp {

enum class Transpose { kNo, kYes };

/** A row-major FP32 matrix by its first element and the elements from one row to the next. */
template <class Element>
struct Strided {
  Element* data;
  std::int64_t leading;
};
using StridedInput = Strided<const float>;
using StridedOutput = Strided<float>;

/**
 * C[m, n] = alpha · op(A)[m, k] · op(B)[k, n] + beta · C, row-major, on the calling thread alone. With beta 0 the old
 * content of C is not read. Computed by the BLAS inside libtorch_cpu.
 */
void Sgemm(Transpose transpose_a, Transpose transpose_b, int m, int n, int k, float alpha, StridedInput a,
           StridedInput b, float beta, StridedOutput c);

}  // namespace native_ddp
