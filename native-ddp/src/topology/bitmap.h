#pragma once

#include <hwloc.h>

#include <memory>
#include <new>

namespace native_ddp {

/** An owned set of hwloc's; empty at first. */
class Bitmap {
 public:
  Bitmap() : set_(hwloc_bitmap_alloc(), [](hwloc_bitmap_t set) { hwloc_bitmap_free(set); }) {
    if (set_ == nullptr) throw std::bad_alloc();
  }

  hwloc_bitmap_t get() const { return set_.get(); }

 private:
  std::unique_ptr<hwloc_bitmap_s, void (*)(hwloc_bitmap_t)> set_;
};

}  // namespace native_ddp
