#include "fma_loop.h"

namespace native_ddp {
namespace {
constexpr int kChains =
    12;  // enough to hide four cycles of latency on two units, and a register is left for the factor
constexpr int kLanes = 8;
}  // namespace

__attribute__((target("avx2,fma"))) void FmaLoop(std::int64_t rounds) {
  // In assembler, so that the compiler neither drops nor reorders it. Zeros: no sum ever becomes denormal or infinite.
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm0\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm1\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm2\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm3\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm4\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm5\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm6\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm7\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm8\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm9\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm10\n"
      "vfmadd231ps %%ymm15, %%ymm15, %%ymm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(rounds)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
        "xmm13", "xmm14", "xmm15");
}

__attribute__((target("avx512f"))) void WideFmaLoop(std::int64_t rounds) {
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm0\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm1\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm2\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm3\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm4\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm5\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm6\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm7\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm8\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm9\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm10\n"
      "vfmadd231ps %%zmm15, %%zmm15, %%zmm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(rounds)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
        "xmm13", "xmm14", "xmm15");
}

double FmaLoopOperations(std::int64_t rounds) { return 2.0 * kChains * kLanes * static_cast<double>(rounds); }

double WideFmaLoopOperations(std::int64_t rounds) { return 2 * FmaLoopOperations(rounds); }

}  // namespace native_ddp
