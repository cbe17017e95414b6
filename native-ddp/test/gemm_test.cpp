#include "transformer/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "instruction_paths.h"
#include "tiny_model.h"
#include "transformer/amx_gemm.h"
#include "transformer/avx512_bf16_gemm.h"
#include "transformer/bfloat16.h"
#include "transformer/gemv.h"
#include "transformer/panel_gemm.h"

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

/** Of sums of so many products of values from -1 to 1: many times what rounding comes to, less than most products. */
double Tolerance(int depth) { return 1e-6 + 2e-7 * depth; }

/** Operands; leading dimensions are wider than the matrices. */
class Operands {
 public:
  Operands(const Sizes& sizes, ElementType type)
      : size(sizes),
        ldx(sizes.inputs + 1),
        ldy(sizes.outputs + 2),
        // Exact in BF16, so that paths that round activations must give the same.
        x(RandomBfloat16s(Count(sizes.rows, ldx), 2)),
        y(RandomBfloat16s(Count(sizes.rows, ldy), 3)),
        type_(type),
        weight_(RandomFloats(Count(sizes.outputs, leading()), -1, 1, 1)),
        rounded_(weight_.size()) {
    ToBfloat16(static_cast<std::int64_t>(weight_.size()), weight_.data(), rounded_.data());
    if (type == ElementType::kBfloat16) {
      FromBfloat16(static_cast<std::int64_t>(weight_.size()), rounded_.data(), weight_.data());
    }
  }

  WeightMatrix weight() const {
    const void* data = weight_.data();
    if (type_ == ElementType::kBfloat16) data = rounded_.data();
    return {data, type_, size.outputs, size.inputs, leading()};
  }
  double Weight(int output, int input) const {
    return weight_[Count(output, leading()) + static_cast<std::size_t>(input)];
  }

  const Sizes size;
  const int ldx;
  const int ldy;
  const std::vector<float> x;
  const std::vector<float> y;

 private:
  int leading() const { return size.inputs + 3; }

  ElementType type_;
  std::vector<float> weight_;
  std::vector<std::uint16_t> rounded_;
};

/** Compares [rows, leading] with what was there before, where `expected(row, column)` was added up to `columns`. */
template <class Expected>
void ExpectSums(int rows, int columns, int leading, const std::vector<float>& before, Output output, int depth,
                const std::vector<float>& result, const Expected& expected) {
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < leading; ++column) {
      const std::size_t at = Count(row, leading) + static_cast<std::size_t>(column);
      double sum = before[at];
      if (column < columns) sum = (output == Output::kAccumulate ? sum : 0) + expected(row, column);
      ASSERT_NEAR(result[at], sum, Tolerance(depth)) << row << "," << column;
    }
  }
}

/** Checks X · Wᵀ against plain FP64 loops; returns the progress that was shown. */
std::uint64_t CheckForward(const InstructionPath& path, const Operands& of, Output output, int threads) {
  ThreadPool pool(threads);
  std::atomic<std::uint64_t> progress{0};
  std::vector<float> result = of.y;
  path.MakeGemm(pool, progress)
      ->Forward(of.size.rows, {of.x.data(), of.ldx}, of.weight(), {result.data(), of.ldy}, output);
  ExpectSums(of.size.rows, of.size.outputs, of.ldy, of.y, output, of.size.inputs, result, [&](int row, int column) {
    const float* x = of.x.data() + Count(row, of.ldx);
    double sum = 0;
    for (int i = 0; i < of.size.inputs; ++i) sum += static_cast<double>(x[i]) * of.Weight(column, i);
    return sum;
  });
  return progress;
}

/** Checks dY · W as CheckForward does. */
std::uint64_t CheckBackward(const InstructionPath& path, const Operands& of, Output output, int threads) {
  ThreadPool pool(threads);
  std::atomic<std::uint64_t> progress{0};
  std::vector<float> result = of.x;
  path.MakeGemm(pool, progress)
      ->Backward(of.size.rows, {of.y.data(), of.ldy}, of.weight(), {result.data(), of.ldx}, output);
  ExpectSums(of.size.rows, of.size.inputs, of.ldx, of.x, output, of.size.outputs, result, [&](int row, int column) {
    const float* y = of.y.data() + Count(row, of.ldy);
    double sum = 0;
    for (int o = 0; o < of.size.outputs; ++o) sum += static_cast<double>(y[o]) * of.Weight(o, column);
    return sum;
  });
  return progress;
}

void CheckBothDirections(const InstructionPath& path, const Operands& operands, Output output, int threads) {
  const Sizes& size = operands.size;
  SCOPED_TRACE(testing::Message() << size.rows << "x" << size.outputs << "x" << size.inputs << " threads " << threads);
  EXPECT_GT(CheckForward(path, operands, output, threads), 0U);
  EXPECT_GT(CheckBackward(path, operands, output, threads), 0U);
}

class GemmTest : public PathTest {};

TEST_P(GemmTest, RaggedSizesEqualPlainLoops) {
  for (const Sizes& size : {Sizes{1, 1, 1}, Sizes{3, 5, 7}, Sizes{6, 16, 8}, Sizes{17, 33, 19}, Sizes{2, 100, 4},
                            Sizes{64, 48, 160}, Sizes{77, 150, 530}, Sizes{3, 70, 9000}, Sizes{2, 9001, 65}}) {
    for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
      const Operands operands(size, type);
      for (const Output output : {Output::kOverwrite, Output::kAccumulate}) {
        for (const int threads : {1, 2, 3}) CheckBothDirections(GetParam(), operands, output, threads);
      }
    }
  }
}

/** Whether one thread has several blocks of rows, strips of columns and blocks of k at once, in both directions. */
template <class Kernels>
constexpr bool HasManyBlocks(const Sizes& size) {
  return size.rows > Kernels::kRowBlock &&
         std::min(size.outputs, size.inputs) > std::max(Kernels::kStrip, Kernels::kDepthBlock);
}

TEST_P(GemmTest, ManyBlocksInEveryDimensionEqualPlainLoops) {
  constexpr Sizes kSize{530, 525, 607};
  static_assert(HasManyBlocks<Avx2Kernels>(kSize));
  static_assert(HasManyBlocks<Avx512Kernels>(kSize));
  static_assert(HasManyBlocks<Avx512Bf16Kernels>(kSize));
  static_assert(HasManyBlocks<AmxKernels>(kSize));
  const Operands operands(kSize, ElementType::kBfloat16);
  CheckBothDirections(GetParam(), operands, Output::kOverwrite, 1);
  CheckBothDirections(GetParam(), operands, Output::kAccumulate, 2);
}

TEST_P(GemmTest, ManyStripsAndBlocksOfDepthEqualPlainLoops) {
  // As above, but for rows; and more than the 2 MiB that ConvertingGemm converts at a time, in both directions.
  for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
    const Operands operands({19, 600, 1100}, type);
    for (const Output output : {Output::kOverwrite, Output::kAccumulate}) {
      for (const int threads : {1, 2, 3}) CheckBothDirections(GetParam(), operands, output, threads);
    }
  }
}

TEST_P(GemmTest, ManyRowsOfManyElementsAreCutUp) {
  // More than 64 MiB of packed rows, whether they are packed in FP32 or in BF16.
  const Operands operands({257, 3, 140000}, ElementType::kBfloat16);
  const std::uint64_t progress = CheckForward(GetParam(), operands, Output::kAccumulate, 2);
  EXPECT_EQ(progress, GetParam().instructions == InstructionSet::kGeneric ? 1U : 2U) << "of a strip of each half";
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
    constexpr int kFewest = Gemv::kMostRows + 1;
    std::vector<float> some(Count(kFewest, kOutputs));
    for (const int row : {0, 5, kRows - kFewest}) {
      gemm->Forward(kFewest, {x.data() + row * kInputs, kInputs}, matrix, {some.data(), kOutputs}, Output::kOverwrite);
      EXPECT_TRUE(std::equal(some.begin(), some.end(), expected.begin() + row * kOutputs)) << "row " << row;
    }
  }
}

TEST(Avx512GemmTest, GivesTheBitsOfAvx2) {
  for (const InstructionSet needed : {InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (const std::string refusal = Refusal(needed); !refusal.empty()) GTEST_SKIP() << refusal;
  }
  for (const Sizes& size : {Sizes{17, 33, 19}, Sizes{20, 31, 600}, Sizes{97, 65, 47}, Sizes{210, 300, 259}}) {
    for (const ElementType type : {ElementType::kBfloat16, ElementType::kFloat32}) {
      const Operands of(size, type);
      std::vector<std::vector<float>> forward;
      std::vector<std::vector<float>> backward;
      for (const InstructionSet instructions : {InstructionSet::kAvx2, InstructionSet::kAvx512}) {
        ThreadPool pool(2);
        std::atomic<std::uint64_t> progress{0};
        const std::unique_ptr<Gemm> gemm = MakeGemm(instructions, pool, progress);
        forward.push_back(of.y);
        gemm->Forward(size.rows, {of.x.data(), of.ldx}, of.weight(), {forward.back().data(), of.ldy},
                      Output::kAccumulate);
        backward.push_back(of.x);
        gemm->Backward(size.rows, {of.y.data(), of.ldy}, of.weight(), {backward.back().data(), of.ldx},
                       Output::kOverwrite);
      }
      EXPECT_EQ(forward[0], forward[1]) << size.rows << "x" << size.outputs << "x" << size.inputs;
      EXPECT_EQ(backward[0], backward[1]) << size.rows << "x" << size.outputs << "x" << size.inputs;
    }
  }
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
