#pragma once

#include <cstdint>

namespace native_ddp {

/** Independent dot products of BF16 on 512-bit registers and nothing else, `rounds` times: the peak of AVX512-BF16. */
void DotProductLoop(std::int64_t rounds);

/** Floating-point operations of so many rounds. */
double DotProductLoopOperations(std::int64_t rounds);

}  // namespace native_ddp
