#pragma once

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
      data_.reset();
      capacity_ = 0;
      data_.reset(static_cast<T*>(std::aligned_alloc(kLine, (count * sizeof(T) + kLine - 1) / kLine * kLine)));
      if (data_ == nullptr) throw std::bad_alloc();
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
