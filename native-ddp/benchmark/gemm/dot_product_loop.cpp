#include "dot_product_loop.h"

namespace native_ddp {
namespace {
constexpr int kChains = 12;  // hide six cycles of latency on up to two units
constexpr int kLanes = 16;
}  // namespace

__attribute__((target("avx512f,avx512bf16"))) void DotProductLoop(std::int64_t rounds) {
  // As in FmaLoop.
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm0\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm1\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm2\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm3\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm4\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm5\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm6\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm7\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm8\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm9\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm10\n"
      "vdpbf16ps %%zmm15, %%zmm15, %%zmm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(rounds)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
        "xmm13", "xmm14", "xmm15");
}

double DotProductLoopOperations(std::int64_t rounds) {
  return 2.0 * 2 * kChains * kLanes * static_cast<double>(rounds);
}

}  // namespace native_ddp
