#include "weights/shared_copy.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <utility>

#include "placement_fixture.h"

namespace native_ddp {
namespace {

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

  /** Says 'b' when it has begun to make the copy, which it never ends. */
  Process StuckMaker() {
    return Process([this](const std::function<void(char)>& say) {
      SharedCopy copy(lock_.path(), "native-ddp test");
      copy.Create();
      say('b');
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
  Process maker = StuckMaker();
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

/** Says 'w' when it begins to wait, 'e' when that ends. */
struct Speaker final : WeightListener {
  explicit Speaker(const std::function<void(char)>& speak) : say(speak) {}
  void Read(std::size_t) override {}
  void Waiting(bool waits) override { say(waits ? 'w' : 'e'); }
  const std::function<void(char)>& say;
};

TEST_F(SharedCopyTest, WhoWaitsSaysSoUntilTheWaitingHasEnded) {
  Process maker = StuckMaker();
  ASSERT_EQ(maker.Next(), 'b');
  Process waiting([this](const std::function<void(char)>& say) {
    Speaker speaker(say);
    const SharedCopy copy(lock_.path(), "native-ddp test", &speaker);
    for (;;) pause();
  });
  EXPECT_EQ(waiting.Next(), 'w');
  maker.Kill();
  EXPECT_EQ(waiting.Next(), 'e');
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
  Recorder recorder;
  const WeightMemory memory(recorder.Of({file_.path(), {0}, true}));
  EXPECT_EQ(recorder.calls, 0) << "nothing is read again";
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
