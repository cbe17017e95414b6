#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace native_ddp {

/**
 * Scratch memory that is kept between calls and only grows: fresh memory costs more in page faults than most kernels
 * need. The content is undefined after Ensure has grown it.
 */
template <class T>
class Buffer {
 public:
  T* Ensure(std::size_t count) {
    if (count > capacity_) {
      constexpr std::size_t kLine = 64;
      constexpr std::size_t kHugePage = 2 << 20;
      const std::size_t unit = count * sizeof(T) < 4 * kHugePage ? kLine : kHugePage;
      const std::size_t bytes = (count * sizeof(T) + unit - 1) / unit * unit;
      data_.reset();
      capacity_ = 0;
      data_.reset(static_cast<T*>(std::aligned_alloc(unit, bytes)));
      if (data_ == nullptr) throw std::bad_alloc();
      // Rows of a large matrix are pages apart, and few small pages fit into the TLB. A refusal costs speed alone.
      if (unit == kHugePage) madvise(data_.get(), bytes, MADV_HUGEPAGE);
      capacity_ = count;
    }
    return data_.get();
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };

  std::unique_ptr<T, Free> data_;
  std::size_t capacity_ = 0;
};

}  // namespace native_ddp
