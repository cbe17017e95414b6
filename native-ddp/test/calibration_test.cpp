#include "calibration/calibration.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "calibration/read_loop.h"

namespace native_ddp {
namespace {

constexpr Calibration::Size kSmall{3, 128, 2};

TEST(CalibrationTest, BothRatesArePossibleOnes) {
  for (const int threads : {1, 2}) {
    Calibration calibration(threads, InstructionSet::kAuto, kSmall);
    const auto begin = std::chrono::steady_clock::now();
    const Rates rates = calibration.Measure(0.02);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(20));
    EXPECT_GT(rates.operations_per_second, 1e6);
    EXPECT_LT(rates.operations_per_second, 1e15);
    EXPECT_GT(rates.bytes_per_second, 1e6);
    EXPECT_LT(rates.bytes_per_second, 1e14);
  }
}

TEST(CalibrationTest, EveryKindIsMeasuredOnceHoweverShortTheTime) {
  Calibration calibration(1, InstructionSet::kGeneric, kSmall);
  const std::uint64_t before = calibration.progress();
  const Rates rates = calibration.Measure(1e-9);
  EXPECT_GT(rates.operations_per_second, 0);
  EXPECT_GT(rates.bytes_per_second, 0);
  EXPECT_GT(calibration.progress(), before);
}

TEST(CalibrationTest, TheKernelsAreThoseThatWereAskedFor) {
  EXPECT_EQ(Calibration(1, InstructionSet::kGeneric, kSmall).kernels(), "sgemm/bf16");
  if (IsSupported(InstructionSet::kAvx2)) {
    EXPECT_EQ(Calibration(1, InstructionSet::kAvx2, kSmall).kernels(), "avx2/bf16");
  }
}

TEST(CalibrationTest, ItNeedsAThreadAndATime) {
  EXPECT_THROW(Calibration(0, InstructionSet::kGeneric, kSmall), std::invalid_argument);
  Calibration calibration(1, InstructionSet::kGeneric, kSmall);
  EXPECT_THROW(calibration.Measure(0), std::invalid_argument);
}

/** A page that may be read between two that may not. */
TEST(CalibrationTest, ReadingStaysWithinItsBytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char* readable = static_cast<char*>(memory) + page;
  ASSERT_EQ(mprotect(readable, page, PROT_READ), 0);
  ReadLoop(readable, static_cast<std::int64_t>(page));
  ReadLoopAhead(readable, static_cast<std::int64_t>(page));
  ReadLoop(readable + page, 0);
  munmap(memory, 3 * page);
}

}  // namespace
}  // namespace native_ddp
