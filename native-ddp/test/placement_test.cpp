#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <thread>

#include "memory/huge_pages.h"
#include "memory/numa.h"
#include "safetensors_writer.h"
#include "temporary_file.h"
#include "weights/weight_memory.h"

namespace native_ddp {
namespace {

constexpr int kNoSuchNode = 999;
constexpr std::size_t kBytes = (5 << 20) + 4097;  // neither huge pages nor pages

std::string FailureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

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
std::size_t MappingDetail(const void* address, const std::string& field) {
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
  EXPECT_EQ(FailureOf([&] { BindMemory(memory.data(), memory.bytes(), {kNoSuchNode}); }),
            "Cannot bind 6291456 bytes to NUMA node 999: this process may not use such nodes");
  EXPECT_EQ(FailureOf([] { AvailableBytes({0, kNoSuchNode}); }), "Cannot use NUMA node 999: the host has none");
  EXPECT_EQ(FailureOf([] { PreferMemoryOf(kNoSuchNode); }),
            "Cannot prefer the memory of NUMA node 999: this process may not use it");
  EXPECT_NE(FailureOf([] { PreferMemoryOf(-1); }).find("Invalid NUMA node: -1"), std::string::npos);
  for (const bool shared : {false, true}) {
    EXPECT_EQ(FailureOf([&] { WeightMemory({file_.path(), {kNoSuchNode}, shared}); }),
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
    const std::string failure = FailureOf([&] { WeightMemory({file_.path(), {0}, shared}); });
    EXPECT_EQ(failure.rfind("Cannot read the weight file " + file_.path() + ": a copy on NUMA node 0 needs " +
                                std::to_string(bytes) + " bytes, available are ",
                            0),
              0U)
        << failure;
  }
}

TEST_F(PlacementTest, ThePreferenceOfAThreadHoldsForThoseThatItStarts) {
  const auto mode_now = [] {
    int mode = -1;
    EXPECT_EQ(syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0), 0);
    return mode;
  };
  int before = -1;
  int inherited = -1;
  int without = -1;
  int after = -1;
  std::thread([&] {
    before = mode_now();
    PreferMemoryOf(0);
    std::thread([&] { inherited = mode_now(); }).join();
    {
      const WithoutPreference scope;
      without = mode_now();
    }
    after = mode_now();
  }).join();
  EXPECT_EQ(before, MPOL_DEFAULT);
  EXPECT_EQ(inherited, MPOL_PREFERRED);
  EXPECT_EQ(without, MPOL_DEFAULT);
  EXPECT_EQ(after, MPOL_PREFERRED);
  EXPECT_EQ(mode_now(), MPOL_DEFAULT) << "of other threads";
}

/** A forked process that says a letter when it has come so far, and lives until it is killed. */
class Process {
 public:
  /** The body is told how to speak. */
  explicit Process(const std::function<void(const std::function<void(char)>&)>& body) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      try {
        body([&](char sign) {
          if (write(ends[1], &sign, 1) != 1) _exit(1);
        });
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        _exit(1);
      }
      for (;;) pause();
    }
    close(ends[1]);
    signs_ = Descriptor(ends[0]);
  }
  ~Process() {
    if (pid_ > 0) Kill();
  }

  /** 0 where it ended without a word. */
  char Next() {
    char sign = 0;
    return read(signs_.number(), &sign, 1) == 1 ? sign : '\0';
  }

  void Kill() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  Descriptor signs_;
};

class SharedCopyTest : public PlacementTest {
 protected:
  /** Says 'm' where it has made the copy, 'f' where it has found one. */
  Process Sharer() {
    return Process([this](const std::function<void(char)>& say) {
      SharedCopy copy(lock_.path(), "native-ddp test");
      const bool found = copy.found().open();
      if (found) {
        char content[6] = {};
        if (pread(copy.found().number(), content, 5, 0) != 5 || std::strcmp(content, "whole") != 0) return;
      } else if (pwrite(copy.Create().number(), "whole", 5, 0) != 5) {
        return;
      }
      const SharedCopy::Holding holding = std::move(copy).Publish();
      say(found ? 'f' : 'm');
      for (;;) pause();
    });
  }

  TemporaryFile lock_;
};

TEST_F(SharedCopyTest, LivesAsLongAsOneOfThoseThatShareIt) {
  Process first = Sharer();
  ASSERT_EQ(first.Next(), 'm');
  Process second = Sharer();
  ASSERT_EQ(second.Next(), 'f');
  first.Kill();
  Process third = Sharer();
  ASSERT_EQ(third.Next(), 'f');
  second.Kill();
  third.Kill();
  EXPECT_EQ(Sharer().Next(), 'm') << "nothing is left of killed processes";
}

TEST_F(SharedCopyTest, OneMakesItWhileOthersWaitAndTakesItsPlaceIfItDies) {
  Process maker([this](const std::function<void(char)>& say) {
    SharedCopy copy(lock_.path(), "native-ddp test");
    copy.Create();
    say('b');
    for (;;) pause();
  });
  ASSERT_EQ(maker.Next(), 'b');
  Process waiting = Sharer();
  Process other_name([this](const std::function<void(char)>& say) {
    const SharedCopy copy(lock_.path(), "native-ddp test of another name");
    say('o');
    for (;;) pause();
  });
  EXPECT_EQ(other_name.Next(), 'o') << "does not wait for another name";
  maker.Kill();
  EXPECT_EQ(waiting.Next(), 'm') << "what was half made is not taken";
}

TEST_F(SharedCopyTest, AWeightFileIsCopiedOnceForAll) {
  const auto body = [this](const std::function<void(char)>& say) {
    const WeightMemory memory({file_.path(), {0}, true});
    const std::string bytes = ReadBytes(file_.path());
    if (memory.SampledNodes() != std::vector<int>(64, 0)) return;
    say(std::memcmp(memory.data(), bytes.data(), bytes.size()) == 0 ? '=' : '#');
    for (;;) pause();
  };
  Process first(body);
  ASSERT_EQ(first.Next(), '=');
  const WeightMemory memory({file_.path(), {0}, true});
  ExpectWhole(memory);
  EXPECT_LT(MappingDetail(memory.data(), "Pss"), kBytes * 3 / 4) << "half is the other's";
  first.Kill();
  ExpectWhole(memory);
  EXPECT_GE(MappingDetail(memory.data(), "Pss"), kBytes);
}

TEST_F(SharedCopyTest, AnotherFileUnderTheSamePathIsAnotherCopy) {
  const auto body = [this](const std::function<void(char)>& say) {
    const WeightMemory memory({file_.path(), {0}, true});
    say(static_cast<char>(memory.data()[0]));
    for (;;) pause();
  };
  WriteBytes(file_.path(), std::string(kBytes, 'a'));
  Process first(body);
  ASSERT_EQ(first.Next(), 'a');
  ASSERT_EQ(unlink(file_.path().c_str()), 0);
  WriteBytes(file_.path(), std::string(kBytes, 'b'));
  Process second(body);
  EXPECT_EQ(second.Next(), 'b');
}

}  // namespace
}  // namespace native_ddp
