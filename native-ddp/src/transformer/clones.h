#pragma once

// Compiles a function once per instruction set; the loader picks the one that this CPU has. Not under sanitizers, whose
// runtime is not ready when the loader picks. Results may differ in rounding from one CPU to another.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NATIVE_DDP_CLONES
#else
#define NATIVE_DDP_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#endif
