#pragma once

#include <functional>

namespace native_ddp {

/** Processes that do the same at the same time, as ranks on one host do. */
class ProcessTeam {
 public:
  /** Forks; returns in every process of the team. */
  explicit ProcessTeam(int count);
  ProcessTeam(const ProcessTeam&) = delete;
  ProcessTeam& operator=(const ProcessTeam&) = delete;

  int index() const { return index_; }
  int count() const { return count_; }

  /** Starts the work in all processes at once; the longest time that one of them took, on the clock given. */
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
