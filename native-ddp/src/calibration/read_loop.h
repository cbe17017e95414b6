#pragma once

#include <cstdint>

namespace native_ddp {

/** What ReadLoop takes at a time. */
constexpr std::int64_t kReadStep = 256;

/** Loads every byte into a vector register and nothing else; bytes are a multiple of kReadStep. */
void ReadLoop(const void* data, std::int64_t bytes);

/** As ReadLoop, prefetching into the second-level cache. */
void ReadLoopAhead(const void* data, std::int64_t bytes);

}  // namespace native_ddp
