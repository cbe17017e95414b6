// What the FMA units of some CPUs can do together: one thread pinned to each, all at once.
//
//   fma_peak --cpus 0,1
//
// One JSON object. For `spark-app/bin/benchmark`, which relates steps to it.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fma_loop.h"
#include "measuring.h"

namespace native_ddp {
namespace {

constexpr std::int64_t kRounds = 20'000'000;  // 40 ms
constexpr int kMeasurements = 5;

bool PinTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

/** Operations per second of all CPUs, from the moment when all threads run to the end of the last. */
double Measure(const std::vector<int>& cpus) {
  std::atomic<std::size_t> waiting{0};
  std::atomic<bool> go{false};
  std::atomic<bool> refused{false};
  std::vector<std::thread> threads;
  for (const int cpu : cpus) {
    threads.emplace_back([&, cpu] {
      if (!PinTo(cpu)) refused = true;
      ++waiting;
      while (!go) std::this_thread::yield();
      FmaLoop(kRounds);
    });
  }
  while (waiting < cpus.size()) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  go = true;
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (refused) throw std::runtime_error("Cannot pin a thread to one of the CPUs");
  return static_cast<double>(cpus.size()) * FmaLoopOperations(kRounds) / seconds;
}

}  // namespace
}  // namespace native_ddp

int main(int count, char** arguments) {
  try {
    if (count != 3 || std::string(arguments[1]) != "--cpus") throw std::invalid_argument("usage: fma_peak --cpus 0,1");
    const std::vector<int> cpus = native_ddp::Integers(arguments[2]);
    double best = 0;
    for (int i = 0; i < native_ddp::kMeasurements; ++i) best = std::max(best, native_ddp::Measure(cpus));
    std::printf("{\"fma_peak_gflops\":%.3f}\n", best * 1e-9);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
