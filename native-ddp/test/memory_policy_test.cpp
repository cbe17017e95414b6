#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <stdexcept>

#include "memory/huge_pages.h"
#include "memory/numa.h"

namespace native_ddp {
namespace {

constexpr int kWordBits = sizeof(unsigned long) * CHAR_BIT;

/** The nodes whose bits are set. */
std::vector<int> NodesIn(const MemoryPolicy& policy) {
  std::vector<int> nodes;
  for (int node = 0; node < static_cast<int>(policy.nodes.size()) * kWordBits; ++node) {
    if (policy.nodes[static_cast<std::size_t>(node / kWordBits)] >> (node % kWordBits) & 1UL) nodes.push_back(node);
  }
  return nodes;
}

TEST(MemoryPolicyTest, OfOneNodeEveryPageIsThere) {
  for (const int node : {0, 1, 63, 64, 1023}) {
    const MemoryPolicy policy = PolicyFor({node});
    EXPECT_EQ(policy.mode, MPOL_BIND);
    EXPECT_EQ(NodesIn(policy), std::vector<int>{node});
  }
}

TEST(MemoryPolicyTest, SeveralNodesTakePagesInTurn) {
  for (const std::vector<int>& nodes : {std::vector<int>{0, 1}, {8, 9, 10, 11}, {3, 63, 64, 130}}) {
    const MemoryPolicy policy = PolicyFor(nodes);
    EXPECT_EQ(policy.mode, MPOL_INTERLEAVE);
    EXPECT_EQ(NodesIn(policy), nodes);
  }
}

TEST(MemoryPolicyTest, TheMaskIsAsLongAsTheKernelReads) {
  EXPECT_GE(PolicyFor({0}).nodes.size() * kWordBits, 1025U) << "one bit less than it is told";
}

TEST(MemoryPolicyTest, NumbersThatNoKernelHasAreRefused) {
  for (const int node : {-1, 1024}) EXPECT_THROW(PolicyFor({0, node}), std::invalid_argument) << node;
}

TEST(MemoryPolicyTest, TheKernelIsToldToTakePagesInTurn) {
  const Mapping memory = MapHugePages(kHugePage);
  try {
    BindMemory(memory.data(), memory.bytes(), {0, 1});  // the kernel takes no notice of a node that the host lacks
  } catch (const std::runtime_error& refusal) {
    GTEST_SKIP() << refusal.what();  // containers may forbid it
  }
  int mode = -1;
  unsigned long nodes[17] = {};
  ASSERT_EQ(syscall(SYS_get_mempolicy, &mode, nodes, 1025, memory.data(), MPOL_F_ADDR), 0);
  EXPECT_EQ(mode, MPOL_INTERLEAVE);
  EXPECT_EQ(nodes[0] & 1UL, 1UL);
}

}  // namespace
}  // namespace native_ddp
