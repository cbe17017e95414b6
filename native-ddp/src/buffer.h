#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include "memory/huge_pages.h"

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
      small_.reset();
      large_ = Mapping();
      capacity_ = 0;
      const std::size_t bytes = count * sizeof(T);
      if (bytes < kLarge) {
        small_ = Small(bytes);
      } else {
        // Rows of a large matrix are pages apart, and few small pages fit into the TLB. Not from malloc, which would
        // keep pieces of this size for itself when they are freed.
        large_ = MapHugePages(bytes);
      }
      capacity_ = count;
    }
    return data();
  }

  T* data() { return const_cast<T*>(std::as_const(*this).data()); }
  const T* data() const { return small_ != nullptr ? small_.get() : reinterpret_cast<const T*>(large_.data()); }

 private:
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kLarge = 4 * kHugePage;

  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<T, Free>;

  static Memory Small(std::size_t bytes) {
    Memory memory(static_cast<T*>(std::aligned_alloc(kLine, RoundUp(bytes, kLine))));
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }

  Memory small_;
  Mapping large_;
  std::size_t capacity_ = 0;
};

}  // namespace native_ddp
