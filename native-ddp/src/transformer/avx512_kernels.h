#pragma once

#include <cstdint>

/**
 * What avx2_kernels.h does with twice as wide registers, for CPUs with AVX-512 F, BW and VL; on others they must not be
 * called. The last panel of A is filled up with zeros too.
 */
namespace native_ddp::avx512 {

constexpr int kPanelRows = 12;
constexpr int kPanelColumns = 32;

/** One panel of A from x[rows, depth], rows at most kPanelRows; writes kPanelRows · depth elements. */
void PackRows(int rows, int depth, const float* x, std::int64_t leading, float* panel);

/** The panels of B = Wᵀ from w[columns, depth], BF16. */
void PackTransposed(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels);
/** The panels of B = Wᵀ from w[columns, depth], FP32. */
void PackTransposed(int columns, int depth, const float* w, std::int64_t leading, float* panels);

/** The panels of B = W from w[depth, columns], BF16. */
void PackStraight(int columns, int depth, const std::uint16_t* w, std::int64_t leading, float* panels);
/** The panels of B = W from w[depth, columns], FP32. */
void PackStraight(int columns, int depth, const float* w, std::int64_t leading, float* panels);

/** c[rows, columns] = A · B, or added to c: the same chain of fused multiply-adds as avx2::MultiplyPanels. */
void MultiplyPanels(int rows, int columns, int depth, const float* a, const float* b, bool accumulate, float* c,
                    std::int64_t leading);

}  // namespace native_ddp::avx512
