#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "optimizer/adamw.h"
#include "optimizer/reductions.h"
#include "tiny_model.h"

namespace native_ddp {
namespace {

std::uint64_t Hash(const std::vector<float>& values) {  // FNV-1a over the bytes
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const float value : values) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (bits >> (8 * byte) & 0xff)) * 0x100000001b3;
  }
  return hash;
}

struct State {
  explicit State(std::size_t count) : parameter(RandomFloats(count, -2, 2, 1)), m(count, 0.0F), v(count, 0.0F) {}
  void Step(const AdamWStep& step, const std::vector<float>& gradient, ThreadPool& pool) {
    AdamW(static_cast<std::int64_t>(gradient.size()), step, gradient.data(), parameter.data(), m.data(), v.data(),
          pool);
  }
  std::vector<float> parameter;
  std::vector<float> m;
  std::vector<float> v;
};

TEST(AdamWTest, FollowsTheFormulaInLongDouble) {
  const std::size_t count = 1001;
  State state(count);
  ThreadPool pool(1);
  std::vector<long double> w(state.parameter.begin(), state.parameter.end());
  std::vector<long double> m(count);
  std::vector<long double> v(count);
  for (std::int64_t t = 1; t <= 20; ++t) {
    const AdamWStep step{0.001 * static_cast<double>(21 - t), 0.9, 0.999, 1e-8, 0.01, t, 0.25};
    const std::vector<float> gradient = RandomFloats(count, -1, 1, 100 + static_cast<std::uint32_t>(t));
    state.Step(step, gradient, pool);
    const long double correction = std::sqrt(1 - std::pow(0.999L, static_cast<long double>(t))) /
                                   (1 - std::pow(0.9L, static_cast<long double>(t)));
    for (std::size_t i = 0; i < count; ++i) {
      const long double g = 0.25L * gradient[i];
      m[i] = 0.9L * m[i] + 0.1L * g;
      v[i] = 0.999L * v[i] + 0.001L * g * g;
      w[i] -= step.learning_rate * correction * m[i] / (std::sqrt(v[i]) + 1e-8L);
      w[i] -= step.learning_rate * 0.01L * w[i];
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_NEAR(state.parameter[i], static_cast<double>(w[i]), 2e-6) << i;
    EXPECT_NEAR(state.m[i], static_cast<double>(m[i]), 1e-7) << i;
    EXPECT_NEAR(state.v[i], static_cast<double>(v[i]), 1e-7) << i;
  }
}

TEST(AdamWTest, IsBitIdenticalForEveryNumberOfThreadsAndOnEveryMachine) {
  const std::size_t count = 1000003;
  const std::vector<float> gradient = RandomFloats(count, -1, 1, 5);
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    State state(count);
    for (std::int64_t t = 1; t <= 3; ++t) state.Step({0.02, 0.9, 0.999, 1e-8, 0.01, t, 0.0625}, gradient, pool);
    // Golden bits, the same as NumPy gives: a machine or a compiler that gives others must not train with one of these.
    EXPECT_EQ(Hash(state.parameter), 811073643621646364U) << threads;
    EXPECT_EQ(Hash(state.m), 16733684217705354292U) << threads;
    EXPECT_EQ(Hash(state.v), 14663094598310239102U) << threads;
  }
}

TEST(AdamWTest, StepsAreCountedFromOne) {
  State state(1);
  ThreadPool pool(1);
  EXPECT_THROW(state.Step({0.1, 0.9, 0.999, 1e-8, 0, 0, 1}, {1.0F}, pool), std::invalid_argument);
}

TEST(AdamWTest, GradientsAreClearedWhateverIsInThem) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    std::vector<float> gradient(1000003, std::numeric_limits<float>::quiet_NaN());
    Clear(1000003, gradient.data(), pool);
    EXPECT_EQ(gradient, std::vector<float>(1000003, 0.0F)) << threads;
  }
}

TEST(ReductionsTest, TheSquaredNormIsExactToFp64AndTheSameForEveryNumberOfThreads) {
  for (const std::int64_t count : {0, 1, 7, 8, 9, 4095, 4096, 4097, 1000003}) {
    const std::vector<float> x = RandomFloats(static_cast<std::size_t>(count), -3, 3, 2);
    long double expected = 0;
    for (const float value : x) expected += static_cast<long double>(value) * value;
    ThreadPool one(1);
    const double norm = SquaredNorm(count, x.data(), one);
    EXPECT_NEAR(norm, static_cast<double>(expected), 1e-12 * static_cast<double>(expected));
    for (const int threads : {2, 3, 4}) {
      ThreadPool pool(threads);
      EXPECT_EQ(SquaredNorm(count, x.data(), pool), norm) << threads;
    }
  }
}

TEST(ReductionsTest, TheSquaredNormOfWhatIsNotFiniteIsNotFinite) {
  std::vector<float> x(5000, 1.0F);
  x[4999] = std::numeric_limits<float>::quiet_NaN();
  ThreadPool pool(2);
  EXPECT_TRUE(std::isnan(SquaredNorm(5000, x.data(), pool)));
}

}  // namespace
}  // namespace native_ddp
