#pragma once

#include <string>

#include "transformer/sgemm.h"
#include "weights/weight_matrix.h"

namespace native_ddp {

enum class Output { kOverwrite, kAccumulate };

/**
 * Products with a frozen matrix W [O, I], which is stored once, row by row, and serves both directions. Every output
 * element is computed by one thread, so nothing is reduced over threads.
 */
class Gemm {
 public:
  virtual ~Gemm() = default;

  /** Y[rows, O] = X[rows, I] · Wᵀ, or added to Y. */
  virtual void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) = 0;

  /** dX[rows, I] = dY[rows, O] · W, or added to dX. */
  virtual void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) = 0;

  /** A short name, for reports, of what multiplies weights of this type. */
  virtual std::string name(ElementType weights) const = 0;
};

}  // namespace native_ddp
