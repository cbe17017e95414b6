#include "transformer/row_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tiny_model.h"

namespace native_ddp {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
const std::vector<std::size_t> kSizes = {1, 2, 3, 31, 32, 33, 64, 100, 1027};

std::int64_t Size(const std::vector<float>& x) { return static_cast<std::int64_t>(x.size()); }

double ExactGelu(double z) { return 0.5 * z * (1 + std::tanh(0.7978845608 * z * (1 + 0.044715 * z * z))); }

TEST(RowKernelsTest, LayerNormFollowsItsFormula) {
  for (const std::size_t size : kSizes) {
    const std::vector<float> x = RandomFloats(size, -3, 5, 1);
    const std::vector<float> weight = RandomFloats(size, 0.5, 1.5, 2);
    const std::vector<float> bias = RandomFloats(size, -1, 1, 3);
    const std::vector<float> next = RandomFloats(size, -1, 1, 4);
    double mean = 0;
    for (const float value : x) mean += value / static_cast<double>(size);
    double variance = 0;
    for (const float value : x) variance += (value - mean) * (value - mean) / static_cast<double>(size);
    const double deviation = std::sqrt(variance + 1e-5);
    std::vector<float> y(size);
    std::vector<float> residual(size);
    std::vector<float> normalised(size);
    const float inverse = LayerNorm(Size(x), 1e-5F, x.data(), weight.data(), bias.data(), y.data(), 7.5F, next.data(),
                                    residual.data(), normalised.data());
    EXPECT_NEAR(inverse * deviation, 1, 1e-5);
    for (std::size_t i = 0; i < size; ++i) {
      const double expected = (x[i] - mean) / deviation;
      EXPECT_NEAR(normalised[i], expected, 1e-5);
      EXPECT_NEAR(y[i], expected * weight[i] + bias[i], 1e-5);
      EXPECT_NEAR(residual[i], 7.5 * (expected * weight[i] + bias[i]) + next[i], 1e-4);
    }
    std::vector<float> plain(size);
    EXPECT_EQ(LayerNorm(Size(x), 1e-5F, x.data(), weight.data(), bias.data(), plain.data(), normalised.data()),
              inverse);
    EXPECT_EQ(plain, y);
  }
}

TEST(RowKernelsTest, LayerNormBackwardIsTheDerivative) {
  const std::size_t size = 37;
  const std::vector<float> x = RandomFloats(size, -3, 5, 1);
  const std::vector<float> weight = RandomFloats(size, 0.5, 1.5, 2);
  const std::vector<float> dy = RandomFloats(size, -1, 1, 3);
  const auto value = [&](std::size_t changed, double by) {
    std::vector<double> moved(x.begin(), x.end());
    moved[changed] += by;
    double mean = 0;
    for (const double element : moved) mean += element / size;
    double variance = 0;
    for (const double element : moved) variance += (element - mean) * (element - mean) / size;
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += dy[i] * weight[i] * (moved[i] - mean) / std::sqrt(variance + 1e-5);
    return sum;
  };
  std::vector<float> y(size);
  std::vector<float> normalised(size);
  const std::vector<float> zero(size);
  const float inverse = LayerNorm(size, 1e-5F, x.data(), weight.data(), zero.data(), y.data(), normalised.data());
  std::vector<float> dx = dy;
  LayerNormBackward(size, dx.data(), weight.data(), normalised.data(), inverse, dx.data());
  for (std::size_t i = 0; i < size; ++i) EXPECT_NEAR(dx[i], (value(i, 1e-5) - value(i, -1e-5)) / 2e-5, 1e-5);
}

TEST(RowKernelsTest, GeluAndItsDerivative) {
  for (const std::size_t size : kSizes) {
    const std::vector<float> z = RandomFloats(size, -8, 8, 5);
    std::vector<float> y = z;
    Gelu(Size(z), y.data(), y.data());
    std::vector<float> gradient(size, 2.0F);
    GeluBackward(Size(z), z.data(), gradient.data());
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_NEAR(y[i], ExactGelu(z[i]), 2e-6);
      EXPECT_NEAR(gradient[i], (ExactGelu(z[i] + 1e-5) - ExactGelu(z[i] - 1e-5)) / 1e-5, 1e-5);
    }
  }
  std::vector<float> extreme = {-1e4F, 1e4F, 0};
  Gelu(3, extreme.data(), extreme.data());
  EXPECT_NEAR(extreme[0], 0, 1e-30);
  EXPECT_EQ(extreme[1], 1e4F);
  EXPECT_EQ(extreme[2], 0);
}

TEST(RowKernelsTest, SoftmaxSumsToOneAndReturnsTheLogSum) {
  for (const std::size_t size : kSizes) {
    const std::vector<float> x = RandomFloats(size, -30, 20, 6);
    double total = 0;
    for (const float value : x) total += std::exp(static_cast<double>(value));
    std::vector<float> p = x;
    EXPECT_NEAR(Softmax(Size(x), p.data()), std::log(total), 1e-5);
    for (std::size_t i = 0; i < size; ++i) EXPECT_NEAR(p[i], std::exp(x[i]) / total, 1e-6);
  }
}

TEST(RowKernelsTest, SoftmaxBackwardIsTheDerivative) {
  const std::size_t size = 45;
  const float scale = 0.25F;
  const std::vector<float> products = RandomFloats(size, -8, 8, 7);
  const std::vector<float> dp = RandomFloats(size, -1, 1, 8);
  std::vector<float> scores(size);
  for (std::size_t i = 0; i < size; ++i) scores[i] = scale * products[i];
  std::vector<float> p = scores;
  const float log_sum = Softmax(size, p.data());
  std::vector<float> gradient = dp;
  std::vector<float> recomputed = scores;
  SoftmaxBackward(size, scale, log_sum, recomputed.data(), gradient.data());
  const auto value = [&](std::size_t changed, double by) {
    double total = 0;
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double e = std::exp(scale * (products[i] + (i == changed ? by : 0)));
      total += e;
      sum += e * dp[i];
    }
    return sum / total;
  };
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_NEAR(recomputed[i], p[i], 1e-6);
    EXPECT_NEAR(gradient[i], (value(i, 1e-5) - value(i, -1e-5)) / 2e-5, 1e-6);
  }
}

TEST(RowKernelsTest, CrossEntropyAndItsGradient) {
  for (const std::size_t size : {1UL, 5UL, 33UL, 5000UL}) {
    const std::vector<float> logits = RandomFloats(size, -20, 20, 9);
    const auto target = static_cast<std::int64_t>(size / 2);
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit));
    const double expected = std::log(total) - logits[static_cast<std::size_t>(target)];
    EXPECT_NEAR(CrossEntropy(Size(logits), logits.data(), target), expected, 1e-6);
    std::vector<float> gradient = logits;
    EXPECT_NEAR(CrossEntropyBackward(Size(logits), gradient.data(), target, 0.5F), expected, 1e-6);
    for (std::size_t i = 0; i < size; ++i) {
      const double p = std::exp(logits[i]) / total;
      EXPECT_NEAR(gradient[i], 0.5 * (p - (static_cast<std::int64_t>(i) == target ? 1 : 0)), 1e-6);
    }
  }
}

TEST(RowKernelsTest, RotationTurnsPairsAndItsInverseTurnsThemBack) {
  const int head_size = 12;  // pairs (i, i + 3) in each half
  const std::vector<float> row = RandomFloats(2 * head_size, -1, 1, 10);
  const std::vector<float> angles = RandomFloats(head_size / 2, 0, 6, 11);
  std::vector<float> cosines;
  std::vector<float> sines;
  for (const float angle : angles) {
    cosines.push_back(std::cos(angle));
    sines.push_back(std::sin(angle));
  }
  std::vector<float> rotated = row;
  Rotate(2, head_size, cosines.data(), sines.data(), rotated.data());
  for (std::size_t head = 0; head < 2; ++head) {
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t i = 0; i < 3; ++i) {
        const std::size_t a = head * 12 + half * 6 + i;
        const std::size_t angle = half * 3 + i;
        EXPECT_NEAR(rotated[a], row[a] * cosines[angle] - row[a + 3] * sines[angle], 1e-6);
        EXPECT_NEAR(rotated[a + 3], row[a + 3] * cosines[angle] + row[a] * sines[angle], 1e-6);
      }
    }
  }
  RotateBack(2, head_size, cosines.data(), sines.data(), rotated.data());
  for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(rotated[i], row[i], 1e-6);
}

TEST(RowKernelsTest, MasksKeepScaledValuesAtSetBits) {
  const std::vector<float> x = RandomFloats(40, 1, 2, 12);
  const std::vector<std::uint64_t> bits = {0xF0F0F0F0F0F0F0F0, 0x123456789ABCDEF0};
  std::vector<float> y(40);
  Mask(40, x.data(), bits.data(), 50, 2.0F, y.data());
  std::vector<float> sum(40, 1.0F);
  MaskAndAdd(40, x.data(), bits.data(), 50, 2.0F, sum.data());
  for (std::size_t i = 0; i < 40; ++i) {
    const std::size_t bit = 50 + i;
    const bool kept = (bits[bit / 64] >> (bit % 64) & 1) != 0;
    EXPECT_EQ(y[i], kept ? 2 * x[i] : 0.0F) << i;
    EXPECT_EQ(sum[i], 1.0F + y[i]) << i;
  }
}

TEST(RowKernelsTest, WhatIsNotFiniteIsNeverHidden) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{40}}) {  // in a full vector, and in the tail
      std::vector<float> x = RandomFloats(41, -1, 1, 13);
      x[at] = bad;
      const std::vector<float> ones(41, 1.0F);
      std::vector<float> y(41);
      std::vector<float> other(41);
      LayerNorm(41, 1e-5F, x.data(), ones.data(), ones.data(), y.data(), other.data());
      EXPECT_TRUE(std::isnan(y[3]));
      y = x;
      Gelu(41, y.data(), y.data());
      EXPECT_FALSE(std::isfinite(y[at]));
      if (bad != -kInfinity) {  // a score of minus infinity is a probability of 0
        y = x;
        EXPECT_TRUE(std::isnan(Softmax(41, y.data())));
        EXPECT_TRUE(std::isnan(y[3]));
        EXPECT_TRUE(std::isnan(CrossEntropy(41, x.data(), 3)));
      }
      EXPECT_FALSE(std::isfinite(CrossEntropy(41, x.data(), static_cast<std::int64_t>(at))));
      const std::uint64_t nothing_kept = 0;
      Mask(41, x.data(), &nothing_kept, 0, 2.0F, y.data());
      EXPECT_TRUE(std::isnan(y[at]));
    }
  }
}

}  // namespace
}  // namespace native_ddp
