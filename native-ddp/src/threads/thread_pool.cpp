#include "threads/thread_pool.h"

#include <algorithm>
#include <stdexcept>

#include "message.h"

namespace native_ddp {

ThreadPool::ThreadPool(int threads) {
  if (threads < 1) throw std::invalid_argument(Message("Invalid number of threads: ", threads, " (must be positive)"));
  failures_.resize(static_cast<std::size_t>(threads));
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  for (int thread = 1; thread < threads; ++thread) {
    workers_.emplace_back([this, thread] { Work(thread); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  started_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::ForEach(std::int64_t count, std::int64_t least, const Piece& piece) {
  if (count <= 0) return;
  const std::int64_t affordable = std::max<std::int64_t>(1, count / std::max<std::int64_t>(1, least));
  const int pieces = static_cast<int>(std::min<std::int64_t>(threads(), affordable));
  if (pieces == 1) {
    piece(0, count, 0);
    return;
  }
  const Loop loop{&piece, count, pieces};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    loop_ = loop;
    running_ = static_cast<int>(workers_.size());
    ++generation_;
  }
  started_.notify_all();
  RunPiece(loop, 0);
  {
    std::unique_lock<std::mutex> lock(mutex_);
    finished_.wait(lock, [this] { return running_ == 0; });
  }
  std::exception_ptr first;
  for (std::exception_ptr& failure : failures_) {
    if (first == nullptr) first = failure;
    failure = nullptr;
  }
  if (first != nullptr) std::rethrow_exception(first);
}

void ThreadPool::RunPiece(const Loop& loop, int thread) {
  if (thread >= loop.pieces) return;
  try {
    (*loop.piece)(loop.count* thread / loop.pieces, loop.count * (thread + 1) / loop.pieces, thread);
  } catch (...) {
    failures_[static_cast<std::size_t>(thread)] = std::current_exception();
  }
}

void ThreadPool::Work(int thread) {
  std::uint64_t seen = 0;
  for (;;) {
    Loop loop;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      started_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) return;
      seen = generation_;
      loop = loop_;
    }
    RunPiece(loop, thread);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--running_ == 0) finished_.notify_one();
  }
}

}  // namespace native_ddp
