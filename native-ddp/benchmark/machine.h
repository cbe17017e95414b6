#pragma once

#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "transformer/instruction_set.h"

namespace native_ddp {

/** What a program exits with where the CPU lacks the instructions that were asked for. */
constexpr int kUnsuitable = 3;

inline std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "";
}

/** What a result depends on besides the program's options: the first line of a file of results. */
inline nlohmann::json Machine(const std::vector<int>& cpus) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char date[sizeof "2026-01-31"];
  std::strftime(date, sizeof date, "%Y-%m-%d", &utc);
  utsname system{};
  uname(&system);
  nlohmann::json supported = nlohmann::json::array();
  for (const InstructionSet set :
       {InstructionSet::kAvx2, InstructionSet::kAvx512, InstructionSet::kAvx512Bf16, InstructionSet::kAmx}) {
    if (IsSupported(set)) supported.push_back(NameOf(set));
  }
  return {{"date", date},
          {"machine", CpuModel()},
          {"instructions", supported},
          {"cpus", cpus},
          {"kernel", system.release},
          {"compiler", "gcc " __VERSION__},
          {"libtorch", TORCH_VERSION}};
}

}  // namespace native_ddp
