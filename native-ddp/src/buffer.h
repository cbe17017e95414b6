#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace native_ddp {

/**
 * Scratch memory that is kept between calls and only grows: fresh memory costs more in page faults than most kernels
 * need. The content is undefined after Ensure has grown it. What it has had before goes back to the system, unless it
 * is small.
 */
template <class T>
class Buffer {
 public:
  T* Ensure(std::size_t count) {
    if (count > capacity_) {
      data_.reset();
      capacity_ = 0;
      const std::size_t bytes = count * sizeof(T);
      data_ = bytes < kLarge ? Small(bytes) : Large(bytes);
      capacity_ = count;
    }
    return data_.get();
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kHugePage = 2 << 20;
  static constexpr std::size_t kLarge = 4 * kHugePage;

  struct Free {
    void operator()(T* memory) const {
      if (mapped == 0) {
        std::free(memory);
      } else {
        munmap(memory, mapped);
      }
    }
    std::size_t mapped = 0;  // bytes; 0: from malloc
  };
  using Memory = std::unique_ptr<T, Free>;

  static std::size_t RoundUp(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

  static Memory Small(std::size_t bytes) {
    Memory memory(static_cast<T*>(std::aligned_alloc(kLine, RoundUp(bytes, kLine))));
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }

  /**
   * On huge pages, since rows of a large matrix are pages apart and few small pages fit into the TLB; a refusal costs
   * speed alone. Not from malloc, which would keep pieces of this size for itself when they are freed.
   */
  static Memory Large(std::size_t bytes) {
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
    return Memory(reinterpret_cast<T*>(aligned), Free{needed});
  }

  Memory data_;
  std::size_t capacity_ = 0;
};

}  // namespace native_ddp
