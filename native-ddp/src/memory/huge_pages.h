#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>

#include "memory/mapping.h"

namespace native_ddp {

constexpr std::size_t kHugePage = 2 << 20;

constexpr std::size_t RoundUp(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

/**
 * Memory that nobody has touched yet, of whole huge pages. The kernel is asked for huge pages, and a refusal costs
 * speed alone. Throws std::bad_alloc.
 */
inline Mapping MapHugePages(std::size_t bytes) {
  const std::size_t needed = RoundUp(bytes, kHugePage);
  const std::size_t reserved = needed + kHugePage;
  void* start = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  const auto begin = reinterpret_cast<std::uintptr_t>(start);
  const std::uintptr_t aligned = RoundUp(begin, kHugePage);
  const std::uintptr_t behind = aligned + needed;
  if (aligned > begin) munmap(start, aligned - begin);
  if (begin + reserved > behind) munmap(reinterpret_cast<void*>(behind), begin + reserved - behind);
  madvise(reinterpret_cast<void*>(aligned), needed, MADV_HUGEPAGE);
  return {reinterpret_cast<void*>(aligned), needed};
}

}  // namespace native_ddp
