#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace native_ddp {

/** The one thread of the process that makes MPI calls, in the order in which they are posted. */
class MpiThread {
 public:
  MpiThread();
  /** Runs what is posted, then ends the thread. */
  ~MpiThread();
  MpiThread(const MpiThread&) = delete;
  MpiThread& operator=(const MpiThread&) = delete;

  /** Returns at once; the task must not throw. */
  void Post(std::function<void()> task);

  /** Returns when the task is done, throwing what it threw. */
  void Call(const std::function<void()>& task);

  /**
   * As Call, but returns false if the task is not done within the limit. It then goes on, with copies of what it
   * captured by value, and the thread cannot be joined before it ends.
   */
  bool CallWithin(std::chrono::nanoseconds limit, const std::function<void()>& task);

 private:
  std::future<void> Start(const std::function<void()>& task);
  void Run();

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace native_ddp
