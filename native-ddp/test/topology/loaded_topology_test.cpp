#include "topology/loaded_topology.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "process/process_control.h"
#include "topology/bitmap.h"

namespace native_ddp {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kGiga = 1'000'000'000;

std::string PathOf(const std::string& mode) { return std::string(TOPOLOGIES) + "/xeonmax9462-snc4-" + mode + ".xml"; }

/** The text of a file with all matches of `expression` taken out. */
std::string Without(const std::string& mode, const std::string& expression) {
  std::ifstream file(PathOf(mode));
  std::ostringstream text;
  text << file.rdbuf();
  return std::regex_replace(text.str(), std::regex(expression), "");
}

const char* const kTiers = " subtype=\"(HBM|DRAM)\"";
const char* const kBandwidths = "<memattr_value target_obj_type=\"NUMANode\"[^>]*>";

std::vector<MemoryKind> Kinds(const HostTopology& host) {
  std::vector<MemoryKind> kinds;
  for (const MemoryNode& node : host.memory) kinds.push_back(node.kind);
  return kinds;
}

std::vector<MemoryKind> DramThenHbm() {
  std::vector<MemoryKind> kinds(8, MemoryKind::kDram);
  kinds.resize(16, MemoryKind::kHbm);
  return kinds;
}

HostTopology Restrict(const LoadedTopology& host, const char* cpus) {
  const Bitmap allowed;
  const Bitmap nodes;
  hwloc_bitmap_list_sscanf(allowed.get(), cpus);
  hwloc_bitmap_fill(nodes.get());
  return host.Restricted(allowed.get(), nodes.get());
}

void ExpectEightClustersOfEightCores(const HostTopology& host) {
  ASSERT_EQ(host.clusters.size(), 8U);
  for (int i = 0; i < 8; ++i) {
    const CpuCluster& cluster = host.clusters[static_cast<std::size_t>(i)];
    EXPECT_EQ(cluster.socket, i / 4);
    ASSERT_EQ(cluster.cores.size(), 8U);
    for (int core = 0; core < 8; ++core) {
      const int cpu = 8 * i + core;
      EXPECT_EQ(cluster.cores[static_cast<std::size_t>(core)].cpus, (std::vector<int>{cpu, cpu + 64}));
    }
  }
}

TEST(LoadedTopologyTest, InFlatModeEachClusterHasItsDramAndItsHbm) {
  const HostTopology host = LoadedTopology::OfFile(PathOf("flat")).Usable();
  ExpectEightClustersOfEightCores(host);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(host.clusters[static_cast<std::size_t>(i)].nodes, (std::vector<int>{i, i + 8}));
  EXPECT_EQ(Kinds(host), DramThenHbm());
  EXPECT_EQ(host.memory[0].bytes, 64 * kGiB);
  EXPECT_EQ(host.memory[0].bandwidth, 76'800'000'000U);
  EXPECT_EQ(host.memory[8].bytes, 16 * kGiB);
  EXPECT_EQ(host.memory[8].bandwidth, 4096 * kGiga / 10);
}

TEST(LoadedTopologyTest, InFlatModeTheKindsFollowFromBandwidthsWithoutTiers) {
  EXPECT_EQ(Kinds(LoadedTopology::OfText(Without("flat", kTiers)).Usable()), DramThenHbm());
}

TEST(LoadedTopologyTest, InFlatModeTheKindsFollowFromSizesWithoutTiersAndBandwidths) {
  const std::string both = std::string(kTiers) + "|" + kBandwidths;
  const HostTopology host = LoadedTopology::OfText(Without("flat", both)).Usable();
  EXPECT_EQ(host.memory[8].bandwidth, 0U);
  EXPECT_EQ(Kinds(host), DramThenHbm());
}

TEST(LoadedTopologyTest, HbmAloneIsKnownByItsTierOrItsBandwidth) {
  const HostTopology host = LoadedTopology::OfFile(PathOf("hbmonly")).Usable();
  ExpectEightClustersOfEightCores(host);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(host.clusters[static_cast<std::size_t>(i)].nodes, std::vector<int>{i});
  EXPECT_EQ(Kinds(host), std::vector<MemoryKind>(8, MemoryKind::kHbm));
  EXPECT_EQ(Kinds(LoadedTopology::OfText(Without("hbmonly", kTiers)).Usable()), Kinds(host));
}

TEST(LoadedTopologyTest, InCacheModeDramHasAMemorySideCache) {
  for (const std::string& xml : {Without("cache", "nothing"), Without("cache", kTiers)}) {
    const HostTopology host = LoadedTopology::OfText(xml).Usable();
    ExpectEightClustersOfEightCores(host);
    EXPECT_EQ(Kinds(host), std::vector<MemoryKind>(8, MemoryKind::kDram));
    for (const MemoryNode& node : host.memory) EXPECT_EQ(node.cache_bytes, 16 * kGiB);
  }
}

TEST(LoadedTopologyTest, ARestrictedHostKeepsAllowedThreadsAndWhatIsKnownOfItsMemory) {
  const LoadedTopology flat = LoadedTopology::OfText(Without("flat", std::string(kTiers) + "|" + kBandwidths));
  const HostTopology host = Restrict(flat, "6-9,70,96");
  ASSERT_EQ(host.clusters.size(), 3U);
  ASSERT_EQ(host.clusters[0].cores.size(), 2U);
  EXPECT_EQ(host.clusters[0].cores[0].cpus, (std::vector<int>{6, 70}));
  EXPECT_EQ(host.clusters[0].cores[1].cpus, std::vector<int>{7});
  EXPECT_EQ(host.clusters[1].cores.size(), 2U);
  EXPECT_EQ(host.clusters[2].cores[0].cpus, std::vector<int>{96}) << "the second thread of core 32";
  EXPECT_EQ(host.clusters[2].socket, 1);
  EXPECT_EQ(Kinds(host), DramThenHbm());
}

TEST(LoadedTopologyTest, NodesThatMayNotBeUsedAreLeftOut) {
  const LoadedTopology flat = LoadedTopology::OfFile(PathOf("flat"));
  const Bitmap cpus;
  const Bitmap nodes;
  hwloc_bitmap_fill(cpus.get());
  hwloc_bitmap_list_sscanf(nodes.get(), "1,9");
  const HostTopology host = flat.Restricted(cpus.get(), nodes.get());
  ASSERT_EQ(host.memory.size(), 2U);
  EXPECT_EQ(host.memory[1].number, 9);
  EXPECT_EQ(host.memory[1].kind, MemoryKind::kHbm);
  EXPECT_TRUE(host.clusters[0].nodes.empty());
  EXPECT_EQ(host.clusters[1].nodes, (std::vector<int>{1, 9}));
}

TEST(LoadedTopologyTest, AHostWithoutAllowedCpusIsRefused) {
  const LoadedTopology flat = LoadedTopology::OfFile(PathOf("flat"));
  EXPECT_THROW(Restrict(flat, "128-130"), std::runtime_error);
}

TEST(LoadedTopologyTest, CoresOfOneNodeAreToldApartByTheirCaches) {
  const HostTopology host = LoadedTopology::OfSynthetic("pack:1 [numa(memory=96GiB)] l3:3 l2:4 core:1 pu:2").Usable();
  ASSERT_EQ(host.clusters.size(), 1U);
  ASSERT_EQ(host.clusters[0].cores.size(), 12U);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(host.clusters[0].cores[static_cast<std::size_t>(i)].cache, i / 4);
  EXPECT_EQ(host.memory[0].kind, MemoryKind::kDram);
}

TEST(LoadedTopologyTest, CoresWithoutASharedCacheShareThatOfTheirCluster) {
  const HostTopology host = LoadedTopology::OfSynthetic("pack:2 [numa] l2:4 core:1 pu:1").Usable();
  ASSERT_EQ(host.clusters.size(), 2U);
  for (const Core& core : host.clusters[0].cores) EXPECT_EQ(core.cache, 0);
  for (const Core& core : host.clusters[1].cores) EXPECT_EQ(core.cache, 1);
}

TEST(LoadedTopologyTest, MemoryOfTheSocketIsLocalToItsClustersThatOfTheMachineToNone) {
  const HostTopology host =
      LoadedTopology::OfSynthetic(
          "[numa(memory=1TiB)] pack:2 [numa(memory=64GiB)] group:2 [numa(memory=128GiB)] core:2 pu:1")
          .Usable();
  ASSERT_EQ(host.clusters.size(), 4U);
  ASSERT_EQ(host.memory.size(), 7U);
  for (const CpuCluster& cluster : host.clusters) EXPECT_EQ(cluster.nodes.size(), 2U);
  EXPECT_EQ(std::count_if(host.memory.begin(), host.memory.end(),
                          [](const MemoryNode& node) { return node.bytes == 1024 * kGiB; }),
            1);
}

TEST(LoadedTopologyTest, WhatIsNoTopologyIsRefusedWithOneSentence) {
  for (const char* text :
       {"", "<a/>", "{\"clusters\":[]}",
        "<?xml version=\"1.0\"?><!DOCTYPE topology SYSTEM \"hwloc2.dtd\"><topology version=\"2.0\"></topology>"}) {
    EXPECT_THROW(LoadedTopology::OfText(text), std::runtime_error) << text;
  }
  const std::string whole = Without("flat", "nothing");
  EXPECT_THROW(LoadedTopology::OfText(whole.substr(0, whole.size() / 2)), std::runtime_error);
  EXPECT_THROW(LoadedTopology::OfFile("/proc/self"), std::runtime_error);
  try {
    LoadedTopology::OfFile("/proc/self/comm");
    FAIL() << "that is no topology";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    EXPECT_EQ(std::string(e.what()).rfind("Cannot read /proc/self/comm: it is no topology in XML", 0), 0U) << e.what();
  }
}

TEST(LoadedTopologyTest, VariablesOfHwlocPutNoOtherMachineInThePlaceOfThisHost) {
  const auto cpus = [] {
    std::vector<int> usable;
    for (const CpuCluster& cluster : LoadedTopology::OfThisHost().Usable().clusters) {
      for (const Core& core : cluster.cores) usable.insert(usable.end(), core.cpus.begin(), core.cpus.end());
    }
    std::sort(usable.begin(), usable.end());
    return usable;
  };
  const std::string flat = PathOf("flat");
  const std::pair<const char*, const char*> variables[] = {
      {"HWLOC_XMLFILE", flat.c_str()}, {"HWLOC_SYNTHETIC", "pack:4 core:16 pu:2"}, {"HWLOC_FSROOT", "/nonexistent"}};
  for (const auto& [name, value] : variables) {
    setenv(name, value, 1);
    EXPECT_EQ(cpus(), AllowedCpus()) << name;
    unsetenv(name);
  }
}

TEST(LoadedTopologyTest, OfThisHostOnlyTheCpusOfTheCallingThreadAreUsable) {
  const std::vector<int> allowed = AllowedCpus();
  std::vector<int> usable;
  for (const CpuCluster& cluster : LoadedTopology::OfThisHost().Usable().clusters) {
    for (const Core& core : cluster.cores) usable.insert(usable.end(), core.cpus.begin(), core.cpus.end());
  }
  std::sort(usable.begin(), usable.end());
  EXPECT_EQ(usable, allowed);
  HostTopology bound;
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(allowed.back()), &one);
    sched_setaffinity(0, sizeof one, &one);
    bound = LoadedTopology::OfThisHost().Usable();
  }).join();
  ASSERT_EQ(bound.clusters.size(), 1U);
  ASSERT_EQ(bound.clusters[0].cores.size(), 1U);
  EXPECT_EQ(bound.clusters[0].cores[0].cpus, std::vector<int>{allowed.back()});
}

}  // namespace
}  // namespace native_ddp
