#pragma once

#include <cstdint>

/** Products for CPUs with AVX512-BF16; on others they must not be called. */
namespace native_ddp::avx512_bf16 {

/**
 * c[rows, columns] = A · B, or added to c, from the panels of A and B that tile_packing.h makes. Each element is one
 * chain of dot products of two, over k in ascending order, which its old content is added to, wherever it stands.
 */
void MultiplyPanels(int rows, int columns, int depth, const std::uint16_t* a, const std::uint16_t* b, bool accumulate,
                    float* c, std::int64_t leading);

}  // namespace native_ddp::avx512_bf16
