#include "process_team.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <new>
#include <stdexcept>

#include "measuring.h"

namespace native_ddp {
namespace {

constexpr int kMost = 64;

}  // namespace

double WorkTimes::Joint() const {
  return *std::max_element(end, end + count) - *std::min_element(begin, begin + count);
}

double WorkTimes::Longest() const {
  double longest = 0;
  for (int i = 0; i < count; ++i) longest = std::max(longest, end[i] - begin[i]);
  return longest;
}

struct ProcessTeam::Shared {
  pthread_barrier_t barrier;
  double begin[kMost];
  double end[kMost];
};

ProcessTeam::ProcessTeam(int count) : count_(count) {
  if (count > kMost) throw std::invalid_argument("Invalid --processes (too many)");
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  shared_ = static_cast<Shared*>(memory);
  pthread_barrierattr_t attributes;
  pthread_barrierattr_init(&attributes);
  pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&shared_->barrier, &attributes, static_cast<unsigned>(count));
  for (int i = 1; i < count; ++i) {
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("Cannot start a process");
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      index_ = i;
      return;
    }
  }
}

double ProcessTeam::Seconds(bool cpu_clock, const std::function<void()>& work) {
  pthread_barrier_wait(&shared_->barrier);
  shared_->begin[index_] = Now(cpu_clock);
  work();
  shared_->end[index_] = Now(cpu_clock);
  pthread_barrier_wait(&shared_->barrier);
  const WorkTimes times{count_, shared_->begin, shared_->end};
  const double seconds = cpu_clock ? times.Longest() : times.Joint();
  pthread_barrier_wait(&shared_->barrier);
  return seconds;
}

bool ProcessTeam::Join() {
  bool well = true;
  for (int i = 1; index_ == 0 && i < count_; ++i) {
    int status = 0;
    well = wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && well;
  }
  return well;
}

}  // namespace native_ddp
