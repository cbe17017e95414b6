#pragma once

#include <sys/types.h>

#include <vector>

namespace native_ddp {

/**
 * Has the kernel kill this process with SIGKILL when the thread that forked it ends; the calling thread must live as
 * long as the process. Throws std::runtime_error if the parent is not the expected one (it has died already).
 */
void DieWithParent(pid_t expected_parent);

/** The CPUs that the calling thread may run on, ascending. */
std::vector<int> AllowedCpus();

}  // namespace native_ddp
