#include "buffer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

namespace native_ddp {
namespace {

constexpr std::size_t kMebi = 1 << 20;

std::size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(Buffer, KeepsItsMemoryUntilItGrows) {
  Buffer<float> buffer;
  float* first = buffer.Ensure(3 * kMebi);
  first[3 * kMebi - 1] = 1;
  EXPECT_EQ(buffer.Ensure(kMebi), first);
  EXPECT_EQ(buffer.Ensure(3 * kMebi), first);
  EXPECT_EQ(buffer.data()[3 * kMebi - 1], 1);
  buffer.Ensure(5 * kMebi)[5 * kMebi - 1] = 2;
}

TEST(Buffer, IsAlignedToCacheLinesOrHugePages) {
  Buffer<char> buffers[2];
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffers[0].Ensure(1001)) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffers[1].Ensure(9 * kMebi + 1)) % (2 * kMebi), 0U);
}

TEST(Buffer, GivesBackWhatItHadBeforeItGrew) {
  constexpr int kBuffers = 8;
  constexpr std::size_t kLast = 24 * kMebi;
  const std::size_t before = ResidentBytes();
  std::vector<Buffer<char>> buffers(kBuffers);
  for (std::size_t bytes = 10 * kMebi; bytes <= kLast; bytes += 2 * kMebi) {
    for (Buffer<char>& buffer : buffers) std::memset(buffer.Ensure(bytes), 1, bytes);
  }
  EXPECT_LT(ResidentBytes() - before, kBuffers * kLast + 16 * kMebi);
}

}  // namespace
}  // namespace native_ddp
