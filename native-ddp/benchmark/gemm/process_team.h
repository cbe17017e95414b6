#pragma once

#include <functional>

namespace native_ddp {

/** When each of some processes began and ended its work, by one clock. */
struct WorkTimes {
  int count;
  const double* begin;
  const double* end;

  /** From the first begin to the last end. */
  double Joint() const;
  /** Of the one that took longest. */
  double Longest() const;
};

/** Processes that do the same at the same time, as ranks on one host do. */
class ProcessTeam {
 public:
  /** Forks; returns in every process of the team. */
  explicit ProcessTeam(int count);
  ProcessTeam(const ProcessTeam&) = delete;
  ProcessTeam& operator=(const ProcessTeam&) = delete;

  int index() const { return index_; }
  int count() const { return count_; }

  /**
   * Starts the work in all processes at once. By the wall clock, from the first one's begin to the last one's end; by
   * the clocks of the threads, the longest that one of them took.
   */
  double Seconds(bool cpu_clock, const std::function<void()>& work);

  /** Waits in the first process for the others to end; whether all ended well. */
  bool Join();

 private:
  struct Shared;

  int count_;
  int index_ = 0;
  Shared* shared_;
};

}  // namespace native_ddp
