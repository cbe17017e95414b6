#pragma once

#include <cstdint>

/**
 * Packs operands into the tiles of tile_loops.h, for CPUs with AVX512-BF16 (every one with AMX has it); on others it
 * must not be called. FP32 is rounded to BF16: to nearest, ties to even, denormals to zero; a NaN stays a NaN.
 */
namespace native_ddp::tiles {

/** The panel of A from x[rows, depth], rows at most kRows. */
void PackRows(int rows, int depth, const float* x, std::int64_t leading, std::uint16_t* panel);

/** The panels of B = Wᵀ from w[columns, depth], BF16. */
void PackTransposed(int columns, int depth, const std::uint16_t* w, std::int64_t leading, std::uint16_t* panels);

/** The panels of B = W from w[depth, columns], BF16. */
void PackStraight(int columns, int depth, const std::uint16_t* w, std::int64_t leading, std::uint16_t* panels);

}  // namespace native_ddp::tiles
