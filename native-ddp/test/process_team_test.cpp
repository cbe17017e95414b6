#include "gemm/process_team.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "measuring.h"

namespace native_ddp {
namespace {

TEST(WorkTimesTest, TheJointTimeIsFromTheFirstBeginToTheLastEnd) {
  const double begin[] = {7, 5, 6};
  const double end[] = {9, 8, 8.5};  // the one that began first is not the one that ends last
  const WorkTimes times{3, begin, end};
  EXPECT_EQ(times.Joint(), 4);
  EXPECT_EQ(times.Longest(), 3);
  const WorkTimes first{1, begin, end};
  EXPECT_EQ(first.Joint(), 2);
  EXPECT_EQ(first.Longest(), 2);
}

TEST(ProcessTeamTest, EveryProcessHasTheTimeOfTheTeam) {
  constexpr double kLong = 0.02;
  for (const bool cpu_clock : {false, true}) {
    ProcessTeam team(2);
    const bool idle = team.index() == 0;
    const double seconds = team.Seconds(cpu_clock, [&] {
      for (const double begin = Now(cpu_clock); !idle && Now(cpu_clock) < begin + kLong;) continue;
    });
    if (!idle) _exit(seconds >= kLong ? 0 : 1);
    EXPECT_GE(seconds, kLong) << "of the other process";
    EXPECT_TRUE(team.Join());
  }
}

}  // namespace
}  // namespace native_ddp
