#pragma once

#include <cstdint>

#include "threads/thread_pool.h"

namespace native_ddp {

/** Σ x², in FP64 and in an order that depends neither on the CPU nor on the number of threads. */
double SquaredNorm(std::int64_t count, const float* x, ThreadPool& pool);

}  // namespace native_ddp
