#include "transformer/gemv.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "tiny_model.h"
#include "transformer/bfloat16.h"

namespace native_ddp {
namespace {

struct Kernels {
  const char* name;
  const GemvKernels* table;
};

class GemvTest : public testing::TestWithParam<Kernels> {
 protected:
  void SetUp() override {
    const bool avx512 = GetParam().table == &kAvx512GemvKernels;
    if (avx512 && !__builtin_cpu_supports("avx512f")) GTEST_SKIP() << "this CPU lacks AVX-512 F";
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) GTEST_SKIP() << "this CPU lacks AVX2 or FMA";
  }

  const GemvKernels& kernels() const { return *GetParam().table; }
};

std::size_t Count(int rows, int columns) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); }

/** A random matrix in both types, the FP32 one rounded to BF16 where the product is to be of BF16. */
struct RandomWeight {
  RandomWeight(int outputs, int inputs, int leading, ElementType type)
      : fp32(RandomFloats(Count(outputs, leading), -1, 1, 1)), bf16(fp32.size()) {
    const auto count = static_cast<std::int64_t>(fp32.size());
    ToBfloat16(count, fp32.data(), bf16.data());
    if (type == ElementType::kBfloat16) FromBfloat16(count, bf16.data(), fp32.data());
    const void* data = fp32.data();
    if (type == ElementType::kBfloat16) data = bf16.data();
    matrix = {data, type, outputs, inputs, leading};
  }

  std::vector<float> fp32;
  std::vector<std::uint16_t> bf16;
  WeightMatrix matrix;
};

/** A product of rows with leading dimensions wider than the matrices; y is filled beforehand. */
std::vector<float> Multiply(const GemvKernels& kernels, int threads, int rows, const float* x, int ldx,
                            const WeightMatrix& weight, std::vector<float> y, int ldy, Output output) {
  ThreadPool pool(threads);
  std::atomic<std::uint64_t> progress{0};
  Gemv gemv(kernels, pool, progress);
  EXPECT_TRUE(gemv.Forward(rows, {x, ldx}, weight, {y.data(), ldy}, output));
  EXPECT_GT(progress, 0U);
  return y;
}

void CheckAgainstLoops(const GemvKernels& kernels, int rows, int outputs, int inputs, ElementType type, Output output) {
  SCOPED_TRACE(testing::Message() << rows << "x" << outputs << "x" << inputs);
  const int ldx = inputs + 1;
  const int ldy = outputs + 2;
  const RandomWeight weight(outputs, inputs, inputs + 3, type);
  const std::vector<float> x = RandomFloats(Count(rows, ldx), -1, 1, 2);
  const std::vector<float> before = RandomFloats(Count(rows, ldy), -1, 1, 3);
  const std::vector<float> y = Multiply(kernels, 2, rows, x.data(), ldx, weight.matrix, before, ldy, output);
  for (int r = 0; r < rows; ++r) {
    for (int o = 0; o < ldy; ++o) {
      const std::size_t at = Count(r, ldy) + static_cast<std::size_t>(o);
      double expected = o < outputs && output == Output::kOverwrite ? 0 : before[at];
      for (int i = 0; o < outputs && i < inputs; ++i) {
        expected += static_cast<double>(x[Count(r, ldx) + static_cast<std::size_t>(i)]) *
                    weight.fp32[Count(o, weight.matrix.leading) + static_cast<std::size_t>(i)];
      }
      ASSERT_NEAR(y[at], expected, 1e-6 * inputs + 1e-7) << r << "," << o;
    }
  }
}

TEST_P(GemvTest, EveryNumberOfRowsEqualsPlainLoops) {
  for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
    for (const Output output : {Output::kOverwrite, Output::kAccumulate}) {
      for (int rows = 1; rows <= Gemv::kMostRows; ++rows) {
        for (const int inputs : {1, 15, 64, 101}) CheckAgainstLoops(kernels(), rows, 37, inputs, type, output);
      }
    }
  }
}

TEST_P(GemvTest, MoreThanOneChunkGroupAndThreadEqualPlainLoops) {
  for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
    for (const int rows : {1, 4, 7}) {
      CheckAgainstLoops(kernels(), rows, 1, 9000, type, Output::kAccumulate);
      CheckAgainstLoops(kernels(), rows, 43, 9007, type, Output::kOverwrite);
      CheckAgainstLoops(kernels(), rows, 2100, 130, type, Output::kAccumulate);
    }
  }
}

TEST_P(GemvTest, TheBitsOfARowDependOnNeitherThreadsNorOtherRows) {
  constexpr int kOutputs = 300;
  constexpr int kInputs = 5003;
  constexpr int kRows = Gemv::kMostRows;
  const std::vector<float> x = RandomFloats(Count(kRows, kInputs), -1, 1, 2);
  for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
    const RandomWeight weight(kOutputs, kInputs, kInputs, type);
    const auto multiply = [&](int threads, int first, int rows) {
      return Multiply(kernels(), threads, rows, x.data() + first * kInputs, kInputs, weight.matrix,
                      std::vector<float>(Count(rows, kOutputs)), kOutputs, Output::kOverwrite);
    };
    const std::vector<float> all = multiply(1, 0, kRows);
    EXPECT_EQ(multiply(2, 0, kRows), all);
    EXPECT_EQ(multiply(3, 0, kRows), all);
    for (int rows = 1; rows < kRows; ++rows) {
      const int first = kRows - rows;
      EXPECT_EQ(multiply(2, first, rows), std::vector<float>(all.begin() + first * kOutputs, all.end())) << rows;
    }
  }
}

TEST_P(GemvTest, NothingBehindTheMatrixIsRead) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(static_cast<char*>(pages) + page, page, PROT_NONE), 0);
  constexpr int kOutputs = 3;
  constexpr int kInputs = 37;
  const std::vector<float> x(Count(2, kInputs), 1.0F);
  for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
    const RandomWeight weight(kOutputs, kInputs, kInputs, type);
    const std::size_t bytes = Count(kOutputs, kInputs) * (type == ElementType::kBfloat16 ? 2 : 4);
    char* at_the_end = static_cast<char*>(pages) + page - bytes;
    std::memcpy(at_the_end, weight.matrix.data, bytes);
    WeightMatrix matrix = weight.matrix;
    matrix.data = at_the_end;
    const std::vector<float> zeros(Count(2, kOutputs));
    EXPECT_EQ(Multiply(kernels(), 1, 2, x.data(), kInputs, matrix, zeros, kOutputs, Output::kOverwrite),
              Multiply(kernels(), 1, 2, x.data(), kInputs, weight.matrix, zeros, kOutputs, Output::kOverwrite));
  }
  munmap(pages, 2 * page);
}

TEST_P(GemvTest, WhatIsNotFiniteIsNotHiddenAndStaysInItsRow) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr int kOutputs = 5;
  for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
    for (const int inputs : {3, 32, 70}) {
      const RandomWeight weight(kOutputs, inputs, inputs, type);
      for (const float value : {kNan, kInfinity}) {
        std::vector<float> x(Count(3, inputs), 0.5F);
        x[Count(2, inputs) - 1] = value;  // the last of the second row
        const std::vector<float> y = Multiply(kernels(), 1, 3, x.data(), inputs, weight.matrix,
                                              std::vector<float>(3 * kOutputs, kNan), kOutputs, Output::kOverwrite);
        for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isfinite(y[i]), i / kOutputs != 1) << i;
      }
    }
  }
}

TEST_P(GemvTest, WeightsThatAreNotFiniteAreNotHidden) {
  for (const std::uint16_t bits : {std::uint16_t{0x7f80}, std::uint16_t{0x7fc0}, std::uint16_t{0xff80}}) {
    for (const int at : {0, 1, 32, 40}) {
      std::vector<std::uint16_t> weight(2 * 41);
      weight[static_cast<std::size_t>(at)] = bits;
      const std::vector<float> x(41, 0.0F);
      const WeightMatrix matrix{weight.data(), ElementType::kBfloat16, 2, 41, 41};
      const std::vector<float> y =
          Multiply(kernels(), 1, 1, x.data(), 41, matrix, std::vector<float>(2), 2, Output::kOverwrite);
      EXPECT_TRUE(std::isnan(y[0])) << "0 · " << bits << " at " << at;
      EXPECT_EQ(y[1], 0.0F);
    }
  }
}

TEST_P(GemvTest, ManyRowsAreLeftToOthers) {
  ThreadPool pool(1);
  std::atomic<std::uint64_t> progress{0};
  Gemv gemv(kernels(), pool, progress);
  const std::vector<float> values(Gemv::kMostRows + 1, 1.0F);
  std::vector<float> y(values.size(), 7.0F);
  const WeightMatrix matrix{values.data(), ElementType::kFloat32, 1, 1, 1};
  EXPECT_FALSE(gemv.Forward(Gemv::kMostRows + 1, {values.data(), 1}, matrix, {y.data(), 1}, Output::kOverwrite));
  EXPECT_TRUE(gemv.Forward(0, {values.data(), 1}, matrix, {y.data(), 1}, Output::kOverwrite));
  EXPECT_EQ(y, std::vector<float>(values.size(), 7.0F));
}

constexpr Kernels kKernels[] = {{"avx2", &kAvx2GemvKernels}, {"avx512", &kAvx512GemvKernels}};

INSTANTIATE_TEST_SUITE_P(Instructions, GemvTest, testing::ValuesIn(kKernels),
                         [](const testing::TestParamInfo<Kernels>& kernels) {
                           return std::string(kernels.param.name);
                         });

}  // namespace
}  // namespace native_ddp
