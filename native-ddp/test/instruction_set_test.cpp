#include "transformer/instruction_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "instruction_paths.h"
#include "transformer/product_speed.h"

namespace native_ddp {
namespace {

TEST(InstructionSetTest, AutoIsNotClearlySlowerThanAnother) {
  ThreadPool pool(1);
  std::atomic<std::uint64_t> progress{0};
  FakeAmxHost without_amx;
  without_amx.features = 0;
  std::vector<std::unique_ptr<Gemm>> gemms;
  gemms.push_back(MakeGemm(InstructionSet::kAuto, pool, progress, without_amx));
  for (const InstructionSet other : {InstructionSet::kAvx2, InstructionSet::kAvx512, InstructionSet::kAvx512Bf16}) {
    if (IsSupported(other)) gemms.push_back(MakeGemm(other, pool, progress));
  }
  const std::vector<double> seconds = ProductSeconds(gemms);
  // The same product takes the first place and another one: 1.5 is far from both a noisy machine and half the speed.
  EXPECT_LT(seconds[0], 1.5 * *std::min_element(seconds.begin(), seconds.end()));
}

TEST(InstructionSetTest, NamesAreThoseOfTheConfiguration) {
  ThreadPool pool(1);
  std::atomic<std::uint64_t> progress{0};
  const auto made = [&](const char* name) {
    return MakeGemm(InstructionSetNamed(name), pool, progress)->name(ElementType::kBfloat16);
  };
  EXPECT_EQ(made("generic"), "sgemm");
  const bool has_avx2 = IsSupported(InstructionSetNamed("avx2"));
  const bool has_amx = IsSupported(InstructionSetNamed("amx"));
  EXPECT_EQ(made("auto"), has_amx ? "amx" : BestWithoutAmx());
  if (!has_avx2) {
    EXPECT_THROW(MakeGemm(InstructionSet::kAvx2, pool, progress), std::runtime_error);
  }
  EXPECT_THROW(InstructionSetNamed("avx9"), std::invalid_argument);
}

}  // namespace
}  // namespace native_ddp
