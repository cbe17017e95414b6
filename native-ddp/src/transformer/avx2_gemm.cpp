#include "transformer/avx2_gemm.h"

namespace native_ddp {

void Avx2Gemm::Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) {
  const auto pack = [&weight](int column, int columns, int k, int depth, float* panels) {
    if (weight.type == ElementType::kFloat32) {
      avx2::PackTransposed(columns, depth, weight.Float32(column, k), weight.leading, panels);
    } else {
      avx2::PackTransposed(columns, depth, weight.Bfloat16(column, k), weight.leading, panels);
    }
  };
  product_.Multiply(rows, weight.rows, weight.columns, x, pack, y, output);
}

void Avx2Gemm::Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) {
  const auto pack = [&weight](int column, int columns, int k, int depth, float* panels) {
    if (weight.type == ElementType::kFloat32) {
      avx2::PackStraight(columns, depth, weight.Float32(k, column), weight.leading, panels);
    } else {
      avx2::PackStraight(columns, depth, weight.Bfloat16(k, column), weight.leading, panels);
    }
  };
  product_.Multiply(rows, weight.columns, weight.rows, dy, pack, dx, output);
}

}  // namespace native_ddp
