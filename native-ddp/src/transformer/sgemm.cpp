#include "transformer/sgemm.h"

// The only BLAS entries that libtorch_cpu exports are MKL's Fortran ones.
extern "C" {
void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n, const int* k,
            const float* alpha, const float* a, const int* lda, const float* b, const int* ldb, const float* beta,
            float* c, const int* ldc);
int MKL_Set_Num_Threads_Local(int threads);
}

namespace native_ddp {

void Sgemm(Transpose transpose_a, Transpose transpose_b, int m, int n, int k, float alpha, StridedInput a,
           StridedInput b, float beta, StridedOutput c) {
  if (m == 0 || n == 0) return;
  const char first = transpose_b == Transpose::kYes ? 'T' : 'N';
  const char second = transpose_a == Transpose::kYes ? 'T' : 'N';
  const int lda = static_cast<int>(a.leading);
  const int ldb = static_cast<int>(b.leading);
  const int ldc = static_cast<int>(c.leading);
  // Put back afterwards: the calling thread may be one on which libtorch wants its own number of threads.
  const int previous = MKL_Set_Num_Threads_Local(1);
  // Fortran is column-major, so the row-major product is Cᵀ = op(B)ᵀ · op(A)ᵀ.
  sgemm_(&first, &second, &n, &m, &k, &alpha, b.data, &ldb, a.data, &lda, &beta, c.data, &ldc);
  MKL_Set_Num_Threads_Local(previous);
}

}  // namespace native_ddp
