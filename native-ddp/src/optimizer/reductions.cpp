#include "optimizer/reductions.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace native_ddp {
namespace {

constexpr std::int64_t kBlock = 4096;
constexpr int kLanes = 8;
constexpr std::int64_t kLeastBlocks = 64;

/** Element i goes to lane i mod kLanes; the lanes are added in order. */
double BlockSquaredNorm(std::int64_t count, const float* x) {
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double value = x[i + lane];
      lanes[lane] += value * value;
    }
  }
  for (int lane = 0; i < count; ++i, ++lane) lanes[lane] += static_cast<double>(x[i]) * x[i];
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace

double SquaredNorm(std::int64_t count, const float* x, ThreadPool& pool) {
  std::vector<double> blocks(static_cast<std::size_t>((count + kBlock - 1) / kBlock));
  const auto number = static_cast<std::int64_t>(blocks.size());
  pool.ForEach(number, kLeastBlocks, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = block * kBlock;
      blocks[static_cast<std::size_t>(block)] = BlockSquaredNorm(std::min(kBlock, count - first), x + first);
    }
  });
  double sum = 0;
  for (const double block : blocks) sum += block;
  return sum;
}

}  // namespace native_ddp
