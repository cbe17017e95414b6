#pragma once

#include <cstdint>

namespace native_ddp {

/**
 * Independent products of BF16 tiles and nothing else, `rounds` times: the core's peak with AMX, of which the process
 * must have permission.
 */
void TileLoop(std::int64_t rounds);

/** Floating-point operations of so many rounds. */
double TileLoopOperations(std::int64_t rounds);

}  // namespace native_ddp
