#include "transformer/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "instruction_paths.h"
#include "tiny_model.h"
#include "transformer/bfloat16.h"

namespace native_ddp {
namespace {

struct Sizes {
  int rows;
  int outputs;
  int inputs;
};

std::size_t Count(int rows, int columns) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); }

std::vector<float> RandomBfloat16s(std::size_t count, std::uint32_t seed) {
  std::vector<float> values = RandomFloats(count, -1, 1, seed);
  std::vector<std::uint16_t> rounded(count);
  ToBfloat16(static_cast<std::int64_t>(count), values.data(), rounded.data());
  FromBfloat16(static_cast<std::int64_t>(count), rounded.data(), values.data());
  return values;
}

/** Checks both directions against plain FP64 loops; leading dimensions are wider than the matrices. */
void CheckAgainstLoops(const InstructionPath& path, const Sizes& size, ElementType type, Output output, int threads) {
  SCOPED_TRACE(testing::Message() << size.rows << "x" << size.outputs << "x" << size.inputs << " threads " << threads);
  const int ldw = size.inputs + 3;
  const int ldx = size.inputs + 1;
  const int ldy = size.outputs + 2;
  std::vector<float> weight = RandomFloats(Count(size.outputs, ldw), -1, 1, 1);
  std::vector<std::uint16_t> rounded(weight.size());
  ToBfloat16(static_cast<std::int64_t>(weight.size()), weight.data(), rounded.data());
  if (type == ElementType::kBfloat16) {
    FromBfloat16(static_cast<std::int64_t>(weight.size()), rounded.data(), weight.data());
  }
  const void* data = weight.data();
  if (type == ElementType::kBfloat16) data = rounded.data();
  const WeightMatrix matrix{data, type, size.outputs, size.inputs, ldw};
  // Exact in BF16, so that paths that round activations must give the same.
  const std::vector<float> x = RandomBfloat16s(Count(size.rows, ldx), 2);
  const std::vector<float> y = RandomBfloat16s(Count(size.rows, ldy), 3);

  ThreadPool pool(threads);
  std::atomic<std::uint64_t> progress{0};
  const std::unique_ptr<Gemm> gemm = path.MakeGemm(pool, progress);
  const double keep = output == Output::kAccumulate ? 1 : 0;
  const double tolerance = 2e-6 * (size.inputs + size.outputs);

  std::vector<float> forward = y;
  gemm->Forward(size.rows, {x.data(), ldx}, matrix, {forward.data(), ldy}, output);
  EXPECT_GT(progress, 0U);
  for (int r = 0; r < size.rows; ++r) {
    for (int o = 0; o < ldy; ++o) {
      const std::size_t at = Count(r, ldy) + static_cast<std::size_t>(o);
      double expected = y[at];
      if (o < size.outputs) {
        expected *= keep;
        for (int i = 0; i < size.inputs; ++i) {
          expected += static_cast<double>(x[Count(r, ldx) + static_cast<std::size_t>(i)]) *
                      weight[Count(o, ldw) + static_cast<std::size_t>(i)];
        }
      }
      ASSERT_NEAR(forward[at], expected, tolerance) << r << "," << o;
    }
  }

  std::vector<float> backward = x;
  gemm->Backward(size.rows, {y.data(), ldy}, matrix, {backward.data(), ldx}, output);
  for (int r = 0; r < size.rows; ++r) {
    for (int i = 0; i < ldx; ++i) {
      const std::size_t at = Count(r, ldx) + static_cast<std::size_t>(i);
      double expected = x[at];
      if (i < size.inputs) {
        expected *= keep;
        for (int o = 0; o < size.outputs; ++o) {
          expected += static_cast<double>(y[Count(r, ldy) + static_cast<std::size_t>(o)]) *
                      weight[Count(o, ldw) + static_cast<std::size_t>(i)];
        }
      }
      ASSERT_NEAR(backward[at], expected, tolerance) << r << "," << i;
    }
  }
}

class GemmTest : public PathTest {};

TEST_P(GemmTest, RaggedSizesEqualPlainLoops) {
  // The last three have more than one block in every dimension of the forward or of the backward direction.
  for (const Sizes& size : {Sizes{1, 1, 1}, Sizes{3, 5, 7}, Sizes{6, 16, 8}, Sizes{17, 33, 19}, Sizes{2, 100, 4},
                            Sizes{64, 48, 160}, Sizes{77, 150, 530}, Sizes{3, 70, 9000}, Sizes{2, 9001, 65}}) {
    for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
      for (const Output output : {Output::kOverwrite, Output::kAccumulate}) {
        for (const int threads : {1, 2, 3}) CheckAgainstLoops(GetParam(), size, type, output, threads);
      }
    }
  }
}

TEST_P(GemmTest, ManyRowsOfManyElementsAreCutUp) {
  CheckAgainstLoops(GetParam(), {257, 3, 70000}, ElementType::kBfloat16, Output::kAccumulate, 2);
}

TEST_P(GemmTest, NoRowsGiveNothing) {
  ThreadPool pool(2);
  std::atomic<std::uint64_t> progress{0};
  const std::vector<float> weight(6, 1.0F);
  float y = 5;
  const std::unique_ptr<Gemm> gemm = GetParam().MakeGemm(pool, progress);
  gemm->Forward(0, {weight.data(), 3}, {weight.data(), ElementType::kFloat32, 2, 3, 3}, {&y, 2}, Output::kOverwrite);
  EXPECT_EQ(y, 5);
}

TEST_P(GemmTest, OverwritingDoesNotReadWhatWasThereAndNanIsNotHidden) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  ThreadPool pool(1);
  std::atomic<std::uint64_t> progress{0};
  const std::unique_ptr<Gemm> gemm = GetParam().MakeGemm(pool, progress);
  const std::vector<float> weight{1, 1, 1, 0, 0, 0};
  const WeightMatrix matrix{weight.data(), ElementType::kFloat32, 2, 3, 3};
  std::vector<float> x(3, 2.0F);
  std::vector<float> y(2, kNan);
  gemm->Forward(1, {x.data(), 3}, matrix, {y.data(), 2}, Output::kOverwrite);
  EXPECT_EQ(y[0], 6.0F);
  EXPECT_EQ(y[1], 0.0F);
  x[1] = kNan;
  gemm->Forward(1, {x.data(), 3}, matrix, {y.data(), 2}, Output::kOverwrite);
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_TRUE(std::isnan(y[1])) << "0 · NaN";
}

TEST(Avx2GemmTest, TheBitsOfARowDependOnNeitherThreadsNorOtherRows) {
  if (!IsSupported(InstructionSet::kAvx2)) GTEST_SKIP() << "this CPU lacks AVX2 or FMA";
  constexpr int kRows = 83;
  constexpr int kOutputs = 300;
  constexpr int kInputs = 700;
  const std::vector<float> weight = RandomFloats(Count(kOutputs, kInputs), -1, 1, 1);
  const WeightMatrix matrix{weight.data(), ElementType::kFloat32, kOutputs, kInputs, kInputs};
  const std::vector<float> x = RandomFloats(Count(kRows, kInputs), -1, 1, 2);
  std::vector<float> expected;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    std::atomic<std::uint64_t> progress{0};
    const std::unique_ptr<Gemm> gemm = MakeGemm(InstructionSet::kAvx2, pool, progress);
    std::vector<float> y(Count(kRows, kOutputs));
    gemm->Forward(kRows, {x.data(), kInputs}, matrix, {y.data(), kOutputs}, Output::kOverwrite);
    if (expected.empty()) expected = y;
    EXPECT_EQ(y, expected);
    std::vector<float> one(kOutputs);
    for (const int row : {0, 5, 80}) {
      gemm->Forward(1, {x.data() + row * kInputs, kInputs}, matrix, {one.data(), kOutputs}, Output::kOverwrite);
      EXPECT_TRUE(std::equal(one.begin(), one.end(), expected.begin() + row * kOutputs)) << "row " << row;
    }
  }
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

INSTANTIATE_TEST_SUITE_P(Paths, GemmTest, testing::ValuesIn(kPaths), PathName);

TEST(Bfloat16Test, RoundsToNearestEvenAndKeepsWhatIsNotFinite) {
  const auto round = [](float value) {
    std::uint16_t bits;
    ToBfloat16(1, &value, &bits);
    float back;
    FromBfloat16(1, &bits, &back);
    return back;
  };
  EXPECT_EQ(round(1.0F), 1.0F);
  EXPECT_EQ(round(1.0F + 1.0F / 256), 1.0F);                  // tie, to even
  EXPECT_EQ(round(1.0F + 3.0F / 256), 1.0F + 4.0F / 256);     // tie, to even
  EXPECT_EQ(round(1.0F + 1.0001F / 256), 1.0F + 2.0F / 256);  // above the tie
  EXPECT_EQ(round(-1.0F - 1.0001F / 256), -1.0F - 2.0F / 256);
  EXPECT_EQ(round(3.4e38F), std::numeric_limits<float>::infinity());
  EXPECT_EQ(round(-std::numeric_limits<float>::infinity()), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(round(std::numeric_limits<float>::quiet_NaN())));
  const std::uint32_t signalling = 0x7f800001;  // a payload in the bits that are dropped
  float nan;
  std::memcpy(&nan, &signalling, sizeof nan);
  EXPECT_TRUE(std::isnan(round(nan)));
}

}  // namespace
}  // namespace native_ddp
