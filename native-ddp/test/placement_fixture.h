#pragma once

#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>

#include "memory/huge_pages.h"
#include "memory/numa.h"
#include "safetensors_writer.h"
#include "temporary_file.h"
#include "weights/weight_memory.h"

namespace native_ddp {

constexpr std::size_t kBytes = (5 << 20) + 4097;  // neither huge pages nor pages

inline std::string FailureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

/** As FailureOf, of an action that the kernel must refuse or that finds no room. */
inline std::string RefusalOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const PlacementRefused& refusal) {
    return refusal.what();
  }
  return "";
}

inline int PolicyNow() {
  int mode = -1;
  EXPECT_EQ(syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0), 0);
  return mode;
}

/** Adds up what it hears. */
struct Recorder final : WeightListener {
  void Read(std::size_t bytes) override {
    read += bytes;
    ++calls;
    policies.insert(PolicyNow());
  }
  void Waiting(bool waits) override { (waits ? begun : ended)++; }

  WeightSource Of(WeightSource source) {
    source.listener = this;
    return source;
  }

  std::size_t read = 0;
  int calls = 0;
  int begun = 0;
  int ended = 0;
  std::set<int> policies;  // of the thread while it read
};

/** Each test that binds memory asks first, as containers may forbid it. */
class PlacementTest : public testing::Test {
 protected:
  void SetUp() override {
    const Mapping page = MapHugePages(kHugePage);
    const std::string refusal = FailureOf([&] { BindMemory(page.data(), page.bytes(), {0}); });
    if (!refusal.empty()) GTEST_SKIP() << refusal;
    std::string bytes(kBytes, ' ');
    for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<char>(i % 251);
    WriteBytes(file_.path(), bytes);
  }

  void ExpectWhole(const WeightMemory& memory) {
    const std::string bytes = ReadBytes(file_.path());
    ASSERT_EQ(memory.size(), bytes.size());
    EXPECT_EQ(std::memcmp(memory.data(), bytes.data(), bytes.size()), 0);
  }

  TemporaryFile file_;
};

/** Of the line of /proc/self/smaps with that name in the mapping at an address, in bytes. */
inline std::size_t MappingDetail(const void* address, const std::string& field) {
  std::ifstream file("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(file, line)) {
    std::size_t begin = 0;
    std::size_t end = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx ", &begin, &end) == 2) {
      inside = reinterpret_cast<std::size_t>(address) >= begin && reinterpret_cast<std::size_t>(address) < end;
    } else if (inside && line.rfind(field + ":", 0) == 0) {
      return std::stoull(line.substr(field.size() + 1)) << 10;
    }
  }
  return 0;
}

}  // namespace native_ddp
