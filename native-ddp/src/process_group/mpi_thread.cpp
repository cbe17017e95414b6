#include "process_group/mpi_thread.h"

#include <memory>
#include <utility>

namespace native_ddp {

MpiThread::MpiThread() : thread_([this] { Run(); }) {}

MpiThread::~MpiThread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  posted_.notify_one();
  thread_.join();
}

void MpiThread::Post(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  posted_.notify_one();
}

std::future<void> MpiThread::Start(const std::function<void()>& task) {
  const auto done = std::make_shared<std::promise<void>>();
  Post([done, task] {
    try {
      task();
      done->set_value();
    } catch (...) {
      done->set_exception(std::current_exception());
    }
  });
  return done->get_future();
}

void MpiThread::Call(const std::function<void()>& task) { Start(task).get(); }

bool MpiThread::CallWithin(std::chrono::nanoseconds limit, const std::function<void()>& task) {
  std::future<void> done = Start(task);
  if (done.wait_for(limit) != std::future_status::ready) return false;
  done.get();
  return true;
}

void MpiThread::Run() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      posted_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace native_ddp
