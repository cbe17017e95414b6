#include "transformer/product_speed.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace native_ddp {
namespace {

constexpr int kRounds = 8;  // the first ones warm up: some CPUs switch wide units on when they are first used
// 50 million multiply-adds: half a millisecond or less, and packing is little of it, as in training.
constexpr int kRows = 384;
constexpr int kOutputs = 256;
constexpr int kInputs = 512;

}  // namespace

std::vector<double> ProductSeconds(const std::vector<std::unique_ptr<Gemm>>& gemms) {
  const std::vector<float> x(std::size_t{kRows} * kInputs, 1.0F);
  const std::vector<std::uint16_t> weight(std::size_t{kOutputs} * kInputs, 0x3f80);  // ones
  std::vector<float> y(std::size_t{kRows} * kOutputs);
  const WeightMatrix matrix{weight.data(), ElementType::kBfloat16, kOutputs, kInputs, kInputs};
  std::vector<double> least(gemms.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < gemms.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      gemms[i]->Forward(kRows, {x.data(), kInputs}, matrix, {y.data(), kOutputs}, Output::kOverwrite);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      least[i] = std::min(least[i], taken.count());
    }
  }
  return least;
}

}  // namespace native_ddp
