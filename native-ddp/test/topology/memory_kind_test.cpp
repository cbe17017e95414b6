#include "topology/memory_kind.h"

#include <gtest/gtest.h>

namespace native_ddp {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kGiga = 1'000'000'000;

MemoryKind Kind(const MemoryFacts& node, const MemoryFacts& of_the_cores) { return KindOf(node, {of_the_cores, node}); }

TEST(MemoryKindTest, ANamedTierDecides) {
  const MemoryFacts cores{0, "", 64 * kGiB, 76 * kGiga, 8};
  EXPECT_EQ(Kind({8, "HBM", 128 * kGiB, 76 * kGiga, 8}, cores), MemoryKind::kHbm);
  EXPECT_EQ(Kind({8, "CXL-DRAM", 16 * kGiB, 409 * kGiga, 8}, cores), MemoryKind::kDram);
}

TEST(MemoryKindTest, AFasterNodeBesideThatOfTheCoresIsHbm) {
  const MemoryFacts cores{0, "", 64 * kGiB, 76 * kGiga, 8};
  EXPECT_EQ(Kind({8, "", 64 * kGiB, 150 * kGiga, 8}, cores), MemoryKind::kHbm);
  EXPECT_EQ(Kind(cores, {8, "", 64 * kGiB, 150 * kGiga, 8}), MemoryKind::kDram);
}

TEST(MemoryKindTest, ASlowerExtensionMakesDramNoHbm) {
  const MemoryFacts dram{0, "", 64 * kGiB, 76 * kGiga, 8};
  const MemoryFacts extension{1, "", 16 * kGiB, 20 * kGiga, 8};
  EXPECT_EQ(Kind(dram, extension), MemoryKind::kDram);
  EXPECT_EQ(Kind(extension, dram), MemoryKind::kDram);
}

TEST(MemoryKindTest, OfOneKindAloneItIsHbmByBandwidthForItsCoresAndItsSize) {
  const auto alone = [](std::uint64_t gib, std::uint64_t gb, int cores) {
    const MemoryFacts node{0, "", gib * kGiB, gb * kGiga, cores};
    return KindOf(node, {node});
  };
  EXPECT_EQ(alone(16, 409, 8), MemoryKind::kHbm) << "a quarter of a Xeon Max";
  EXPECT_EQ(alone(64, 1638, 32), MemoryKind::kHbm) << "a Xeon Max without sub-NUMA clusters";
  EXPECT_EQ(alone(64, 76, 8), MemoryKind::kDram);
  EXPECT_EQ(alone(192, 576, 8), MemoryKind::kDram) << "twelve channels of DDR5 for few cores";
  EXPECT_EQ(alone(8, 100, 64), MemoryKind::kDram) << "little memory for many cores";
}

TEST(MemoryKindTest, WithoutBandwidthASmallerNodeBesideThatOfTheCoresIsHbm) {
  const MemoryFacts cores{0, "", 64 * kGiB, 0, 8};
  EXPECT_EQ(Kind({8, "", 16 * kGiB, 0, 8}, cores), MemoryKind::kHbm);
  EXPECT_EQ(Kind({8, "", 64 * kGiB, 0, 8}, cores), MemoryKind::kDram);
  EXPECT_EQ(Kind(cores, {8, "", 128 * kGiB, 0, 8}), MemoryKind::kDram) << "it has the cores";
}

}  // namespace
}  // namespace native_ddp
