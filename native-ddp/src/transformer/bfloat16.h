#pragma once

#include <cstdint>

namespace native_ddp {

/** Rounds to nearest, ties to even; a NaN stays a NaN. */
void ToBfloat16(std::int64_t count, const float* from, std::uint16_t* to);

void FromBfloat16(std::int64_t count, const std::uint16_t* from, float* to);

}  // namespace native_ddp
