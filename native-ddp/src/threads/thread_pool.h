#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace native_ddp {

/**
 * Threads that share out loops in a fixed way: the same count and thread number always get the same piece. Not OpenMP,
 * so that no second OpenMP runtime comes into the process. One caller at a time; loops do not nest.
 */
class ThreadPool {
 public:
  /** threads counts the caller's own, which takes part. Throws std::invalid_argument unless it is positive. */
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /** begin and end of a piece, and the number of the thread that works on it (for scratch memory of its own). */
  using Piece = std::function<void(std::int64_t begin, std::int64_t end, int thread)>;

  /**
   * Cuts [0, count) into contiguous pieces of at least `least` items, one a thread, and returns when all are done. The
   * first exception (by thread number) that a piece threw is thrown here.
   */
  void ForEach(std::int64_t count, std::int64_t least, const Piece& piece);

 private:
  struct Loop {
    const Piece* piece = nullptr;
    std::int64_t count = 0;
    int pieces = 0;
  };

  void Work(int thread);
  void RunPiece(const Loop& loop, int thread);

  std::mutex mutex_;
  std::condition_variable started_;
  std::condition_variable finished_;
  Loop loop_;
  std::uint64_t generation_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  std::vector<std::exception_ptr> failures_;
  std::vector<std::thread> workers_;
};

}  // namespace native_ddp
