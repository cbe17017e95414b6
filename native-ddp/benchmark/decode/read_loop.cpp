#include "read_loop.h"

namespace native_ddp {
namespace {

constexpr std::int64_t kStep = 256;
constexpr std::int64_t kLine = 64;
constexpr std::int64_t kAhead = 16 << 10;

// In assembler, so that the compiler does not drop what nobody uses.
__attribute__((target("avx2"))) inline void LoadStep(const char* from) {
  asm volatile(
      "vmovups (%0), %%ymm0\n"
      "vmovups 32(%0), %%ymm1\n"
      "vmovups 64(%0), %%ymm2\n"
      "vmovups 96(%0), %%ymm3\n"
      "vmovups 128(%0), %%ymm4\n"
      "vmovups 160(%0), %%ymm5\n"
      "vmovups 192(%0), %%ymm6\n"
      "vmovups 224(%0), %%ymm7\n"
      :
      : "r"(from)
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "memory");
}

}  // namespace

void ReadLoop(const void* data, std::int64_t bytes) {
  const char* from = static_cast<const char*>(data);
  for (const char* end = from + bytes; from < end; from += kStep) LoadStep(from);
}

void ReadLoopAhead(const void* data, std::int64_t bytes) {
  const char* from = static_cast<const char*>(data);
  for (const char* end = from + bytes; from < end; from += kStep) {
    for (std::int64_t line = 0; line < kStep; line += kLine) __builtin_prefetch(from + kAhead + line, 0, 2);
    LoadStep(from);
  }
}

}  // namespace native_ddp
