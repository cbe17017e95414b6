#include "topology/memory_kind.h"

#include <algorithm>

namespace native_ddp {
namespace {

constexpr double kFaster = 1.5;
constexpr double kBandwidthPerCore = 20e9;
constexpr double kReadsPerSecond = 10;

bool IsHbm(const MemoryFacts& node, const MemoryFacts& of_the_cores) {
  const bool without_cpus = node.number != of_the_cores.number;
  const auto bandwidth = static_cast<double>(node.bandwidth);
  if (node.bandwidth == 0 || (without_cpus && of_the_cores.bandwidth == 0)) {
    return without_cpus && node.bytes < of_the_cores.bytes;
  }
  if (without_cpus && bandwidth >= kFaster * static_cast<double>(of_the_cores.bandwidth)) return true;
  return bandwidth >= kBandwidthPerCore * std::max(1, node.cores) &&
         bandwidth >= kReadsPerSecond * static_cast<double>(node.bytes);
}

}  // namespace

MemoryKind KindOf(const MemoryFacts& node, const std::vector<MemoryFacts>& neighbours) {
  if (!node.tier.empty()) return node.tier == "HBM" || node.tier == "MCDRAM" ? MemoryKind::kHbm : MemoryKind::kDram;
  const MemoryFacts* first = &node;
  for (const MemoryFacts& neighbour : neighbours) {
    if (neighbour.number < first->number) first = &neighbour;
  }
  return IsHbm(node, *first) ? MemoryKind::kHbm : MemoryKind::kDram;
}

}  // namespace native_ddp
