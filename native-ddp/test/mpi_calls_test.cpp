#include "process_group/mpi_calls.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <future>

#include "message.h"
#include "mpi_ranks.h"
#include "process_group/mpi_thread.h"
#include "tiny_model.h"

// With processes of a real MPI library.
namespace native_ddp {
namespace {

using std::chrono::milliseconds;

class MpiCallsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (MpiLibraryPath().empty()) GTEST_SKIP() << "no MPI library at " << DEFAULT_MPI_LIBRARY << " nor in $MPI_LIBRARY";
  }
};

/** What keeps a rank from coming with the others. */
void BeLate(milliseconds delay) { poll(nullptr, 0, static_cast<int>(delay.count())); }

/** Of many magnitudes, so that another order of adding gives other bits. */
std::vector<float> Addends(std::size_t count, int rank) {
  std::vector<float> values = RandomFloats(count, -1, 1, 7 + static_cast<std::uint32_t>(rank));
  for (std::size_t i = 0; i < count; ++i) values[i] = std::ldexp(values[i], static_cast<int>(i * 7 % 23) - 11);
  return values;
}

/** A digest of the sum over ranks of `count` addends each. */
std::string Sum(const MpiRank& self, std::size_t count) {
  std::vector<float> sums = Addends(count, self.rank);
  self.calls.AllReduce(sums.data(), static_cast<std::int64_t>(count), sizeof(float), MPI_FLOAT, MPI_SUM);
  std::vector<double> exact(count);
  std::vector<double> bound(count);
  for (int rank = 0; rank < self.size; ++rank) {
    const std::vector<float> addends = Addends(count, rank);
    for (std::size_t i = 0; i < count; ++i) {
      exact[i] += static_cast<double>(addends[i]);
      bound[i] += 1e-6 * std::abs(static_cast<double>(addends[i]));
    }
  }
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a over words
  for (std::size_t i = 0; i < count; ++i) {
    if (!(std::abs(static_cast<double>(sums[i]) - exact[i]) <= bound[i])) return Message("a wrong sum at ", i);
    std::uint32_t bits;
    std::memcpy(&bits, &sums[i], sizeof bits);
    hash = (hash ^ bits) * 0x100000001b3;
  }
  return Message(count, " floats: ", hash, "; ");
}

/** The digests of this rank, equal whoever comes last. */
std::string SumsWithEachRankLate(const MpiRank& self) {
  std::string first;
  for (int last = 0; last < self.size; ++last) {
    std::string sums;
    for (const std::size_t count : {1, 5, 1000, 40000, 1 << 20}) {
      if (self.rank == last) BeLate(milliseconds(5));
      sums += Sum(self, count);
    }
    if (last == 0) first = sums;
    if (sums != first) return Message("other bits when rank ", last, " was last: ", sums, first);
  }
  return first;
}

void ExpectTheSameBits(int size, const std::string& process_mapping) {
  const std::vector<std::string> outcomes = RunRanks(size, SumsWithEachRankLate, process_mapping);
  EXPECT_EQ(outcomes[0].rfind("1 floats: ", 0), 0U) << outcomes[0];
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, outcomes[0]) << "of " << size << process_mapping;
}

TEST_F(MpiCallsTest, EveryRankGetsTheSameBitsWhoeverComesLast) {
  for (const int size : {2, 3, 4}) ExpectTheSameBits(size, "");
}

TEST_F(MpiCallsTest, EveryRankGetsTheSameBitsWhereTheyAreOnTwoNodes) {
  ExpectTheSameBits(2, "(vector,(0,2,1))");
  ExpectTheSameBits(3, "(vector,(0,1,2),(1,1,1))");
  ExpectTheSameBits(4, "(vector,(0,2,2))");
}

TEST_F(MpiCallsTest, BytesAreBroadcastAndGathered) {
  const std::vector<std::string> outcomes = RunRanks(3, [](const MpiRank& self) {
    std::string word = self.rank == 1 ? "one" : "---";
    self.calls.Broadcast(word.data(), 3, 1);
    const char own = static_cast<char>('a' + self.rank);
    std::string all = "---";
    void* const outputs[] = {&all[0], &all[1], &all[2]};
    self.calls.AllGather(&own, 1, outputs);
    return word + all;
  });
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, "oneabc");
}

double SecondsOfThisThread() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

TEST_F(MpiCallsTest, ARankThatWaitsLeavesTheCoreToOthersAndDoesNotCountTheWait) {
  constexpr milliseconds kDelay(400);
  const std::vector<std::string> outcomes = RunRanks(2, [&](const MpiRank& self) -> std::string {
    if (self.rank == 1) BeLate(kDelay);
    const double before = SecondsOfThisThread();
    const auto start = std::chrono::steady_clock::now();
    float value = 1;
    const MpiCalls::Duration duration = self.calls.AllReduce(&value, 1, sizeof value, MPI_FLOAT, MPI_SUM);
    const auto whole = std::chrono::steady_clock::now() - start;
    const double computed = SecondsOfThisThread() - before;
    if (self.rank == 1) return "late";
    if (whole < kDelay / 2) return "did not wait";
    if (computed > 0.1) return Message("kept the core for ", computed, " s");
    return duration > kDelay / 2 ? "counted the wait" : "waited";
  });
  EXPECT_EQ(outcomes[0], "waited");
  EXPECT_EQ(outcomes[1], "late");
}

TEST_F(MpiCallsTest, ACollectiveWaitsForADeadRank) {
  const std::vector<std::string> outcomes = RunRanks(2, [](const MpiRank& self) -> std::string {
    if (self.rank == 1) raise(SIGKILL);
    float value = 1;
    MpiThread thread;
    std::promise<void> done;
    thread.Post([&] {
      self.calls.AllReduce(&value, 1, sizeof value, MPI_FLOAT, MPI_SUM);
      done.set_value();
    });
    const std::future_status status = done.get_future().wait_for(milliseconds(300));
    if (status == std::future_status::timeout) raise(SIGTERM);  // the thread cannot be ended
    return "reduced with a dead rank";
  });
  EXPECT_EQ(outcomes[0], Message("killed by signal ", SIGTERM));
  EXPECT_EQ(outcomes[1], Message("killed by signal ", SIGKILL));
}

}  // namespace
}  // namespace native_ddp
