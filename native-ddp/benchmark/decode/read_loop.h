#pragma once

#include <cstdint>

namespace native_ddp {

/** Loads every byte into a vector register and nothing else; bytes are a multiple of 256. */
void ReadLoop(const void* data, std::int64_t bytes);

/** As ReadLoop, prefetching into the second-level cache. */
void ReadLoopAhead(const void* data, std::int64_t bytes);

}  // namespace native_ddp
