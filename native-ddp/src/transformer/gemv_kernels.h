#pragma once

#include <cstdint>

namespace native_ddp {

/** Operands of a product y[rows, outputs] = x[rows, depth] · wᵀ, or added to y. */
template <class Element>
struct GemvOperands {
  int rows;
  int outputs;
  int depth;
  const float* x;  // as packed for this Element
  const Element* w;
  std::int64_t w_leading;
  bool accumulate;
  float* y;
  std::int64_t y_leading;
  float* partial_sums;  // scratch
};

/**
 * The inner loops of a product of few rows with a row-major matrix: they pass over the matrix once and convert it in
 * registers. Each element of y is the same operations whatever the number of rows and outputs. Kernels of instructions
 * that the CPU lacks must not be called.
 */
struct GemvKernels {
  /** Rows of w that are taken together at most. */
  static constexpr int kOutputs = 16;

  int lanes;  // of a vector register

  /** Packs x for a matrix of BF16 or FP32; a row is filled up with zeros to whole registers. */
  void (*pack_for_bfloat16)(int rows, int depth, const float* x, std::int64_t leading, float* packed);
  void (*pack_for_float32)(int rows, int depth, const float* x, std::int64_t leading, float* packed);
  void (*multiply_bfloat16)(const GemvOperands<std::uint16_t>& operands);
  void (*multiply_float32)(const GemvOperands<float>& operands);

  /** Elements of x when packed. */
  std::int64_t PackedElements(int rows, int depth) const {
    const std::int64_t block = 2 * lanes;
    return rows * ((depth + block - 1) / block * block);
  }

  /** Elements of partial_sums. */
  std::int64_t PartialSums(int rows) const { return std::int64_t{rows} * kOutputs * lanes; }
};

extern const GemvKernels kAvx2GemvKernels;    // AVX2 and FMA
extern const GemvKernels kAvx512GemvKernels;  // AVX-512 F

}  // namespace native_ddp
