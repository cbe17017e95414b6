#pragma once

// For files that are compiled for more than every CPU has. Nothing that they share may be left as a function of its
// own: the linker might keep one file's copy for the whole library.

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace native_ddp {

ALWAYS_INLINE int Least(int a, int b) { return a < b ? a : b; }

}  // namespace native_ddp
