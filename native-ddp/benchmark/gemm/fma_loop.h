#pragma once

#include <cstdint>

namespace native_ddp {

/** Independent fused multiply-adds on 256-bit registers and nothing else, `rounds` times: the core's FP32 peak. */
void FmaLoop(std::int64_t rounds);

/** The same on 512-bit registers. */
void WideFmaLoop(std::int64_t rounds);

/** Floating-point operations of so many rounds. */
double FmaLoopOperations(std::int64_t rounds);
double WideFmaLoopOperations(std::int64_t rounds);

}  // namespace native_ddp
