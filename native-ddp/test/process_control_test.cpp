#include "process/process_control.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

namespace native_ddp {
namespace {

TEST(ProcessControlTest, AProcessDiesWithItsParent) {
  int grandchild_lives[2];
  ASSERT_EQ(pipe(grandchild_lives), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const pid_t self = getpid();
    if (fork() == 0) {
      DieWithParent(self);
      if (write(grandchild_lives[1], "+", 1) != 1) _exit(1);
      for (;;) pause();
    }
    for (;;) pause();
  }
  close(grandchild_lives[1]);
  char sign = 0;
  ASSERT_EQ(read(grandchild_lives[0], &sign, 1), 1);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  EXPECT_EQ(read(grandchild_lives[0], &sign, 1), 0) << "the pipe ends with the grandchild";
  close(grandchild_lives[0]);
}

TEST(ProcessControlTest, AParentThatHasEndedIsNoticed) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      DieWithParent(getppid() + 1);
    } catch (const std::runtime_error&) {
      _exit(7);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(ProcessControlTest, TheAllowedCpusAreThoseOfTheCallingThread) {
  const std::vector<int> all = AllowedCpus();
  ASSERT_FALSE(all.empty());
  std::vector<int> bound;
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(all.back()), &one);
    sched_setaffinity(0, sizeof one, &one);
    bound = AllowedCpus();
  }).join();
  EXPECT_EQ(bound, std::vector<int>{all.back()});
  EXPECT_EQ(AllowedCpus(), all);
}

}  // namespace
}  // namespace native_ddp
