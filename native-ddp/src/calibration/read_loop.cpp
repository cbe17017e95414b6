#include "calibration/read_loop.h"

namespace native_ddp {
namespace {

constexpr std::int64_t kLine = 64;
constexpr std::int64_t kAhead = 16 << 10;

// In assembler, so that the compiler does not drop what nobody uses. Registers of 16 bytes, which every CPU has: memory
// is slower than they are.
inline void LoadLine(const char* from) {
  asm volatile(
      "movups (%0), %%xmm0\n"
      "movups 16(%0), %%xmm1\n"
      "movups 32(%0), %%xmm2\n"
      "movups 48(%0), %%xmm3\n"
      :
      : "r"(from)
      : "xmm0", "xmm1", "xmm2", "xmm3", "memory");
}

inline void LoadStep(const char* from) {
  for (std::int64_t line = 0; line < kReadStep; line += kLine) LoadLine(from + line);
}

}  // namespace

void ReadLoop(const void* data, std::int64_t bytes) {
  const char* from = static_cast<const char*>(data);
  for (const char* end = from + bytes; from < end; from += kReadStep) LoadStep(from);
}

void ReadLoopAhead(const void* data, std::int64_t bytes) {
  const char* from = static_cast<const char*>(data);
  for (const char* end = from + bytes; from < end; from += kReadStep) {
    for (std::int64_t line = 0; line < kReadStep; line += kLine) __builtin_prefetch(from + kAhead + line, 0, 2);
    LoadStep(from);
  }
}

}  // namespace native_ddp
