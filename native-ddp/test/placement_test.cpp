#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <thread>

#include "placement_fixture.h"

namespace native_ddp {
namespace {

constexpr int kNoSuchNode = 999;

TEST_F(PlacementTest, PagesComeFromTheNodeThatTheyAreBoundTo) {
  const Mapping memory = MapHugePages(kBytes);
  BindMemory(memory.data(), memory.bytes(), {0});
  std::memset(memory.data(), 1, memory.bytes());
  EXPECT_EQ(NodeOf(memory.data()), 0);
  EXPECT_EQ(NodeOf(memory.data() + memory.bytes() - 1), 0);
  int mode = -1;
  unsigned long nodes[17] = {};
  ASSERT_EQ(syscall(SYS_get_mempolicy, &mode, nodes, 1025, memory.data(), MPOL_F_ADDR), 0);
  EXPECT_EQ(mode, MPOL_BIND);
  EXPECT_EQ(nodes[0], 1UL);
}

TEST_F(PlacementTest, ANodeThatTheHostLacksIsNamed) {
  const Mapping memory = MapHugePages(kBytes);
  EXPECT_EQ(RefusalOf([&] { BindMemory(memory.data(), memory.bytes(), {kNoSuchNode}); }),
            "Cannot bind 6291456 bytes to NUMA node 999: this process may not use such nodes");
  EXPECT_EQ(RefusalOf([] { AvailableBytes({0, kNoSuchNode}); }), "Cannot use NUMA node 999: the host has none");
  EXPECT_EQ(RefusalOf([] { PreferMemoryOf(kNoSuchNode); }),
            "Cannot prefer the memory of NUMA node 999: this process may not use it");
  EXPECT_NE(FailureOf([] { PreferMemoryOf(-1); }).find("Invalid NUMA node: -1"), std::string::npos);
  for (const bool shared : {false, true}) {
    EXPECT_EQ(RefusalOf([&] { WeightMemory({file_.path(), {kNoSuchNode}, shared}); }),
              "Cannot use NUMA node 999: the host has none");
  }
}

TEST_F(PlacementTest, AMappedFileIsNotCopied) {
  const WeightMemory memory{file_.path()};
  ExpectWhole(memory);
  EXPECT_EQ(MappingDetail(memory.data(), "Anonymous"), 0U);
  const std::vector<int> nodes = memory.SampledNodes();
  EXPECT_EQ(nodes.size(), 64U);
  EXPECT_EQ(std::count(nodes.begin(), nodes.end(), 0), 64);
}

TEST_F(PlacementTest, APrivateCopyIsWholeAndWhereItWasBoundTo) {
  const WeightMemory memory({file_.path(), {0}, false});
  ExpectWhole(memory);
  EXPECT_EQ(memory.SampledNodes(), std::vector<int>(64, 0));
  EXPECT_GE(MappingDetail(memory.data(), "Anonymous"), kBytes);
  std::ifstream huge("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string setting{std::istreambuf_iterator<char>(huge), {}};
  if (setting.find("[never]") == std::string::npos) {
    EXPECT_GE(MappingDetail(memory.data(), "AnonHugePages"), kHugePage);
  }
}

TEST_F(PlacementTest, ACopyThatTheNodeHasNoRoomForIsRefusedWithBothNumbers) {
  const std::size_t bytes = std::size_t{1} << 43;
  ASSERT_EQ(truncate(file_.path().c_str(), static_cast<off_t>(bytes)), 0);
  for (const bool shared : {false, true}) {
    const std::string failure = RefusalOf([&] { WeightMemory({file_.path(), {0}, shared}); });
    EXPECT_EQ(failure.rfind("Cannot copy the weight file " + file_.path() + ": a copy on NUMA node 0 needs " +
                                std::to_string(bytes) + " bytes, available are ",
                            0),
              0U)
        << failure;
  }
}

TEST_F(PlacementTest, AFileThatCannotBeReadIsNotRefusedItsPlace) {
  ASSERT_EQ(unlink(file_.path().c_str()), 0);
  for (const bool shared : {false, true}) {
    try {
      WeightMemory({file_.path(), {0}, shared});
      ADD_FAILURE() << "the file is gone";
    } catch (const PlacementRefused& refusal) {
      ADD_FAILURE() << refusal.what();
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "Cannot read the weight file " + file_.path() + ": No such file or directory");
    }
  }
}

TEST_F(PlacementTest, ACopySaysHowFarItIs) {
  for (const bool shared : {false, true}) {
    Recorder recorder;
    const WeightMemory memory(recorder.Of({file_.path(), {0}, shared}));
    EXPECT_EQ(recorder.read, kBytes);
    EXPECT_GE(recorder.calls, 3) << "piece after piece";
    EXPECT_EQ(recorder.begun, 0) << "nobody else makes it";
  }
}

TEST_F(PlacementTest, AMappedFileIsReadAheadWhereOtherMemoryIsPreferred) {
  Recorder lazily;
  const WeightMemory untouched(lazily.Of(file_.path()));
  EXPECT_EQ(lazily.calls, 0);
  Recorder ahead;
  int after = -1;
  std::thread([&] {
    PreferMemoryOf(0);
    const WeightMemory memory(ahead.Of(file_.path()));
    ExpectWhole(memory);
    after = PolicyNow();
  }).join();
  EXPECT_EQ(ahead.read, kBytes);
  EXPECT_EQ(ahead.policies, std::set<int>{MPOL_DEFAULT}) << "so its pages are where the kernel likes";
  EXPECT_EQ(after, MPOL_PREFERRED);
}

TEST_F(PlacementTest, ThePreferenceOfAThreadHoldsForThoseThatItStarts) {
  int before = -1;
  int inherited = -1;
  int without = -1;
  int after = -1;
  std::thread([&] {
    before = PolicyNow();
    PreferMemoryOf(0);
    std::thread([&] { inherited = PolicyNow(); }).join();
    {
      const WithoutPreference scope;
      without = PolicyNow();
    }
    after = PolicyNow();
  }).join();
  EXPECT_EQ(before, MPOL_DEFAULT);
  EXPECT_EQ(inherited, MPOL_PREFERRED);
  EXPECT_EQ(without, MPOL_DEFAULT);
  EXPECT_EQ(after, MPOL_PREFERRED);
  EXPECT_EQ(PolicyNow(), MPOL_DEFAULT) << "of other threads";
}

}  // namespace
}  // namespace native_ddp
