#include "threads/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace native_ddp {
namespace {

TEST(ThreadPoolTest, EveryItemIsVisitedOnceWhateverTheThreads) {
  for (int threads = 1; threads <= 4; ++threads) {
    ThreadPool pool(threads);
    for (const std::int64_t count : {0, 1, 2, 3, 7, 100}) {
      for (const std::int64_t least : {1, 3, 1000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
        pool.ForEach(count, least, [&](std::int64_t begin, std::int64_t end, int thread) {
          ASSERT_LT(thread, threads);
          for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        for (const auto& visit : visits) EXPECT_EQ(visit, 1);
      }
    }
  }
}

TEST(ThreadPoolTest, SmallLoopsStayWithTheCaller) {
  ThreadPool pool(4);
  const auto caller = std::this_thread::get_id();
  pool.ForEach(7, 4, [&](std::int64_t, std::int64_t, int) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(ThreadPoolTest, AnExceptionInAnyThreadReachesTheCallerAndThePoolStaysUsable) {
  ThreadPool pool(3);
  for (int failing = 0; failing < 3; ++failing) {
    try {
      pool.ForEach(3, 1, [&](std::int64_t begin, std::int64_t, int) {
        if (begin == failing) throw std::runtime_error("piece " + std::to_string(begin));
      });
      FAIL() << "no exception";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "piece " + std::to_string(failing));
    }
  }
  std::atomic<int> visits{0};
  pool.ForEach(3, 1, [&](std::int64_t, std::int64_t, int) { ++visits; });
  EXPECT_EQ(visits, 3);
}

TEST(ThreadPoolTest, ItNeedsAThread) { EXPECT_THROW(ThreadPool(0), std::invalid_argument); }

}  // namespace
}  // namespace native_ddp
