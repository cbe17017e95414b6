#include "process/process_control.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "message.h"

namespace native_ddp {

void DieWithParent(pid_t expected_parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    throw std::runtime_error(Message("Cannot tie this process to its parent: ", std::strerror(errno)));
  }
  // A parent that died before the call will not be noticed by the kernel any more.
  if (getppid() != expected_parent) {
    throw std::runtime_error(Message("Cannot tie this process to its parent: that is ", getppid(), " instead of ",
                                     expected_parent, ", which has ended"));
  }
}

std::vector<int> AllowedCpus() {
  // The kernel refuses a set smaller than its own, whose size it does not tell.
  for (int most = 1024;; most *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<std::size_t>(most)),
                                                               [](cpu_set_t* memory) { CPU_FREE(memory); });
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(most));
    if (set == nullptr) throw std::bad_alloc();
    if (sched_getaffinity(0, bytes, set.get()) == 0) {
      std::vector<int> cpus;
      for (int cpu = 0; cpu < most; ++cpu) {
        if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set.get())) cpus.push_back(cpu);
      }
      return cpus;
    }
    if (errno != EINVAL || most > (1 << 20)) {
      throw std::runtime_error(Message("Cannot ask for the allowed CPUs: ", std::strerror(errno)));
    }
  }
}

}  // namespace native_ddp
