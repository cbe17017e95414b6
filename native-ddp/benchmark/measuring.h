#pragma once

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

// What the benchmarks share.
namespace native_ddp {

/** Numbers separated by commas. Throws std::invalid_argument if there are none. */
inline std::vector<int> Integers(const std::string& text) {
  std::vector<int> values;
  std::istringstream in(text);
  for (std::string value; std::getline(in, value, ',');) values.push_back(std::stoi(value));
  if (values.empty()) throw std::invalid_argument("Invalid list: it is empty");
  return values;
}

/** A weight matrix [outputs, inputs]. */
struct Product {
  const char* name;
  int inputs;
  int outputs;
};

/** Those of a layer of ChatGLM-6B. */
constexpr Product kProducts[] = {{"query_key_value", 4096, 12288},
                                 {"dense", 4096, 4096},
                                 {"dense_h_to_4h", 4096, 16384},
                                 {"dense_4h_to_h", 16384, 4096}};

/** Gives every pair of arguments to take(key, value). Throws std::invalid_argument for one that it does not know. */
inline void ForEachOption(int count, char** arguments,
                          const std::function<bool(const std::string& key, const std::string& value)>& take) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string key = arguments[i];
    const std::string value = arguments[i + 1];
    if (!take(key, value)) throw std::invalid_argument("Invalid option: " + key + " " + value);
  }
  if (count % 2 == 0) throw std::invalid_argument("Invalid options: each needs a value");
}

/** The first of the CPUs that the calling thread may use. */
inline int FirstCpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error(std::string("Cannot read the CPUs: ") + std::strerror(errno));
  }
  int cpu = 0;
  while (!CPU_ISSET(static_cast<unsigned>(cpu), &set)) ++cpu;
  return cpu;
}

/** Keeps the calling thread, and those that it starts, on these CPUs. */
inline void Pin(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<unsigned>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error(std::string("Cannot pin to the CPUs: ") + std::strerror(errno));
  }
}

/** In seconds: of the wall, or of the calling thread's own work. */
inline double Now(bool cpu_clock) {
  timespec now{};
  clock_gettime(cpu_clock ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline double Seconds(bool cpu_clock, const std::function<void()>& work) {
  const double begin = Now(cpu_clock);
  work();
  return Now(cpu_clock) - begin;
}

inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

inline double Minimum(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

/** Uniform from -1 to 1. */
inline void Fill(std::int64_t count, unsigned seed, float* values) {
  std::minstd_rand generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::int64_t i = 0; i < count; ++i) values[i] = uniform(generator);
}

}  // namespace native_ddp
