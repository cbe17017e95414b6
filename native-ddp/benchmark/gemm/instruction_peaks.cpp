// What some CPUs can do together in fused multiply-adds, and in the instructions that products of some name use: one
// thread pinned to each CPU, all at once.
//
//   instruction_peaks --cpus 0,1 [--products avx512bf16]
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

#include "measuring.h"
#include "peak.h"
#include "transformer/instruction_set.h"

namespace native_ddp {
namespace {

constexpr int kMeasurements = 5;

bool PinTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

/** Operations per second of all CPUs, from the moment when all threads run to the end of the last. */
double MeasureOnce(const Peak& peak, const std::vector<int>& cpus) {
  std::atomic<std::size_t> waiting{0};
  std::atomic<bool> go{false};
  std::atomic<bool> refused{false};
  std::vector<std::thread> threads;
  for (const int cpu : cpus) {
    threads.emplace_back([&, cpu] {
      if (!PinTo(cpu)) refused = true;
      ++waiting;
      while (!go) std::this_thread::yield();
      peak.loop(peak.rounds);
    });
  }
  while (waiting < cpus.size()) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  go = true;
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (refused) throw std::runtime_error("Cannot pin a thread to one of the CPUs");
  return static_cast<double>(cpus.size()) * peak.operations(peak.rounds) / seconds;
}

double Measure(const Peak& peak, const std::vector<int>& cpus) {
  double best = 0;
  for (int i = 0; i < kMeasurements; ++i) best = std::max(best, MeasureOnce(peak, cpus));
  return best;
}

}  // namespace
}  // namespace native_ddp

int main(int count, char** arguments) {
  try {
    using native_ddp::Peak;
    std::vector<int> cpus{0};
    std::string products;
    native_ddp::ForEachOption(count, arguments, [&](const std::string& key, const std::string& value) {
      if (key == "--cpus") {
        cpus = native_ddp::Integers(value);
      } else if (key == "--products") {
        products = value;
      } else {
        return false;
      }
      return true;
    });
    native_ddp::RequestInstructions(native_ddp::InstructionSet::kAuto);
    const Peak fma = native_ddp::PeakOf("");
    const Peak own = native_ddp::PeakOf(products);
    const double fma_rate = native_ddp::Measure(fma, cpus);
    const double own_rate = own.loop == fma.loop ? fma_rate : native_ddp::Measure(own, cpus);
    std::printf("{\"fma_peak_gflops\":%.3f,\"kernel_peak\":\"%s\",\"kernel_peak_gflops\":%.3f}\n", fma_rate * 1e-9,
                own.name, own_rate * 1e-9);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
