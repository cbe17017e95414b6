// The own matrix products against libtorch's sgemm and against what the core's units can do, all in one run.
//
//   gemm_benchmark [--cpus 0,1] [--processes 1] [--rounds 7] [--rows 256,512,1024,2048] [--products dense,…]
//                  [--instructions auto] [--clock wall|cpu]
//
// As many threads as CPUs, pinned to them; processes share the CPUs out and do the same at the same time, each with
// matrices of its own, and rates are those of all together. One JSON object a line, the machine first. Each round times
// a loop of the instruction that the own product uses (FMA, dot products of BF16, or products of tiles), sgemm and the
// own product one after the other, so that what else the machine does hits all alike; trust ratios more than rates.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "buffer.h"
#include "machine.h"
#include "measuring.h"
#include "peak.h"
#include "process_team.h"
#include "threads/thread_pool.h"
#include "transformer/bfloat16.h"
#include "transformer/instruction_set.h"

namespace native_ddp {
namespace {

struct Options {
  std::vector<int> cpus{FirstCpu()};
  std::vector<int> rows{256, 512, 1024, 2048};
  std::string products;  // all if empty
  int processes = 1;
  int rounds = 7;
  InstructionSet instructions = InstructionSet::kAuto;
  bool cpu_clock = false;

  /** Of each process. */
  int threads() const { return static_cast<int>(cpus.size()) / processes; }
  bool Chooses(const std::string& product) const {
    return products.empty() || (',' + products + ',').find(',' + product + ',') != std::string::npos;
  }
};

Options Parse(int count, char** arguments) {
  Options options;
  ForEachOption(count, arguments, [&options](const std::string& key, const std::string& value) {
    if (key == "--cpus") {
      options.cpus = Integers(value);
    } else if (key == "--rows") {
      options.rows = Integers(value);
    } else if (key == "--products") {
      options.products = value;
    } else if (key == "--processes") {
      options.processes = std::stoi(value);
    } else if (key == "--rounds") {
      options.rounds = std::stoi(value);
    } else if (key == "--instructions") {
      options.instructions = InstructionSetNamed(value);
    } else if (key == "--clock" && (value == "cpu" || value == "wall")) {
      options.cpu_clock = value == "cpu";
    } else {
      return false;
    }
    return true;
  });
  if (options.rounds < 1) throw std::invalid_argument("Invalid --rounds (must be positive)");
  if (options.processes < 1 || options.cpus.size() % static_cast<std::size_t>(options.processes) != 0) {
    throw std::invalid_argument("Invalid --processes (the CPUs must be shared out evenly)");
  }
  if (std::none_of(std::begin(kProducts), std::end(kProducts), [&](auto& p) { return options.Chooses(p.name); })) {
    throw std::invalid_argument("Invalid --products: " + options.products + " (none of them is known)");
  }
  if (options.cpu_clock && options.threads() > 1) {
    throw std::invalid_argument("Invalid --clock cpu: it measures one thread (give one CPU a process)");
  }
  return options;
}

struct Matrices {
  Matrices(const Product& product, int most_rows) {
    const std::int64_t elements = std::int64_t{product.inputs} * product.outputs;
    const auto count = static_cast<std::size_t>(elements);
    Fill(elements, 1, fp32.Ensure(count));
    ToBfloat16(elements, fp32.data(), bf16.Ensure(count));
    FromBfloat16(elements, bf16.data(), fp32.data());
    weight = {bf16.data(), ElementType::kBfloat16, product.outputs, product.inputs, product.inputs};
    const std::int64_t widest = std::int64_t{most_rows} * std::max(product.inputs, product.outputs);
    Fill(widest, 2, x.Ensure(static_cast<std::size_t>(widest)));
    // Exact in BF16, so that products that round it can be compared with sgemm.
    Buffer<std::uint16_t> rounded;
    ToBfloat16(widest, x.data(), rounded.Ensure(static_cast<std::size_t>(widest)));
    FromBfloat16(widest, rounded.data(), x.data());
    Fill(widest, 3, own.Ensure(static_cast<std::size_t>(widest)));
    Fill(widest, 4, reference.Ensure(static_cast<std::size_t>(widest)));
  }

  Buffer<float> fp32;
  Buffer<std::uint16_t> bf16;
  WeightMatrix weight;
  Buffer<float> x;
  Buffer<float> own;
  Buffer<float> reference;
};

/** Throws if elements spread over the result are not those of an FP64 product, or either result differs elsewhere. */
void Verify(const Product& product, bool forward, int rows, Matrices& matrices) {
  const int columns = forward ? product.outputs : product.inputs;
  const int depth = forward ? product.inputs : product.outputs;
  const double tolerance = 2e-6 * depth;
  std::minstd_rand generator(5);
  for (int i = 0; i < 500; ++i) {
    const std::int64_t row = i == 0 ? rows - 1 : static_cast<std::int64_t>(generator()) % rows;
    const std::int64_t column = i == 0 ? columns - 1 : static_cast<std::int64_t>(generator()) % columns;
    double sum = 0;
    for (std::int64_t k = 0; k < depth; ++k) {
      const std::int64_t at = forward ? column * depth + k : k * columns + column;
      sum += static_cast<double>(matrices.x.data()[row * depth + k]) * matrices.fp32.data()[at];
    }
    if (!(std::abs(matrices.own.data()[row * columns + column] - sum) <= tolerance)) {
      throw std::runtime_error("Invalid product: an element differs from its FP64 value");
    }
  }
  for (std::int64_t i = 0; i < std::int64_t{rows} * columns; ++i) {
    if (!(std::abs(matrices.own.data()[i] - matrices.reference.data()[i]) <= tolerance)) {
      throw std::runtime_error("Invalid product: an element differs from that of sgemm");
    }
  }
}

class Benchmark {
 public:
  Benchmark(const Options& options, ProcessTeam& team)
      : options_(options),
        team_(team),
        pool_(options.threads()),
        gemm_(MakeGemm(options.instructions, pool_, progress_)),
        peak_(PeakOf(gemm_->name(ElementType::kBfloat16))) {}

  void Run() {
    nlohmann::json machine = Machine(options_.cpus);
    machine["configuration"] = {{"processes", options_.processes},
                                {"threads", options_.threads()},
                                {"rounds", options_.rounds},
                                {"instructions", NameOf(options_.instructions)},
                                {"clock", options_.cpu_clock ? "cpu" : "wall"}};
    Print(machine);
    for (const Product& product : kProducts) {
      if (!options_.Chooses(product.name)) continue;
      Matrices matrices(product, *std::max_element(options_.rows.begin(), options_.rows.end()));
      for (const bool forward : {true, false}) {
        for (const int rows : options_.rows) Measure(product, forward, rows, matrices);
      }
    }
    for (const auto& [direction, logs] : ratios_) {
      double sum = 0;
      double least = logs.front();
      for (const double log : logs) {
        sum += log;
        least = std::min(least, log);
      }
      Print({{"direction", direction},
             {"ratio_to_sgemm_geometric_mean", std::exp(sum / static_cast<double>(logs.size()))},
             {"ratio_to_sgemm_least", std::exp(least)},
             {std::string(peak_.name) + "_fraction_least", least_fraction_[direction]}});
    }
  }

 private:
  void Measure(const Product& product, bool forward, int rows, Matrices& matrices) {
    const int columns = forward ? product.outputs : product.inputs;
    const int depth = forward ? product.inputs : product.outputs;
    const auto own = [&] {
      if (forward) {
        gemm_->Forward(rows, {matrices.x.data(), depth}, matrices.weight, {matrices.own.data(), columns},
                       Output::kOverwrite);
      } else {
        gemm_->Backward(rows, {matrices.x.data(), depth}, matrices.weight, {matrices.own.data(), columns},
                        Output::kOverwrite);
      }
    };
    const auto reference = [&] {
      pool_.ForEach(columns, 1, [&](std::int64_t begin, std::int64_t end, int) {
        const float* from = matrices.fp32.data() + (forward ? begin * depth : begin);
        Sgemm(Transpose::kNo, forward ? Transpose::kYes : Transpose::kNo, rows, static_cast<int>(end - begin), depth, 1,
              {matrices.x.data(), depth}, {from, product.inputs}, 0, {matrices.reference.data() + begin, columns});
      });
    };
    const auto peak_loop = [&] {
      pool_.ForEach(pool_.threads(), 1, [this](std::int64_t, std::int64_t, int) { peak_.loop(peak_.rounds); });
    };
    own();
    reference();
    Verify(product, forward, rows, matrices);
    std::vector<double> own_seconds;
    std::vector<double> reference_seconds;
    std::vector<double> peaks;
    for (int round = 0; round < options_.rounds; ++round) {
      const double peak_seconds = team_.Seconds(options_.cpu_clock, peak_loop);
      peaks.push_back(1e-9 * static_cast<double>(options_.cpus.size()) * peak_.operations(peak_.rounds) / peak_seconds);
      reference_seconds.push_back(team_.Seconds(options_.cpu_clock, reference));
      own_seconds.push_back(team_.Seconds(options_.cpu_clock, own));
    }
    const double operations = 2e-9 * options_.processes * rows * columns * depth;
    const double peak = *std::max_element(peaks.begin(), peaks.end());
    const double ratio = Minimum(reference_seconds) / Minimum(own_seconds);
    const double fraction = operations / Minimum(own_seconds) / peak;
    const std::string direction = forward ? "forward" : "backward";
    const std::string peak_name = peak_.name;
    ratios_[direction].push_back(std::log(ratio));
    const auto before = least_fraction_.find(direction);
    if (before == least_fraction_.end() || before->second > fraction) least_fraction_[direction] = fraction;
    Print({{"product", product.name},
           {"direction", direction},
           {"rows", rows},
           {"depth", depth},
           {"columns", columns},
           {"processes", options_.processes},
           {"threads", pool_.threads()},
           {"kernel", gemm_->name(ElementType::kBfloat16)},
           {"clock", options_.cpu_clock ? "cpu" : "wall"},
           {"rounds", options_.rounds},
           {peak_name + "_gflops", peak},
           {peak_name + "_gflops_median", Median(peaks)},
           {"sgemm_gflops", operations / Minimum(reference_seconds)},
           {"sgemm_gflops_median", operations / Median(reference_seconds)},
           {"gflops", operations / Minimum(own_seconds)},
           {"gflops_median", operations / Median(own_seconds)},
           {peak_name + "_fraction", fraction},
           {"ratio_to_sgemm", ratio},
           {"ratio_to_sgemm_median", Median(reference_seconds) / Median(own_seconds)}});
  }

  void Print(const nlohmann::json& line) const {
    if (team_.index() == 0) std::cout << line << std::endl;
  }

  Options options_;
  ProcessTeam& team_;
  ThreadPool pool_;
  std::atomic<std::uint64_t> progress_{0};
  std::unique_ptr<Gemm> gemm_;
  Peak peak_;
  std::map<std::string, std::vector<double>> ratios_;
  std::map<std::string, double> least_fraction_;
};

}  // namespace
}  // namespace native_ddp

int main(int count, char** arguments) {
  const pid_t first = getpid();
  try {
    const native_ddp::Options options = native_ddp::Parse(count, arguments);
    native_ddp::ProcessTeam team(options.processes);
    const auto begin = options.cpus.begin() + team.index() * options.threads();
    native_ddp::Pin({begin, begin + options.threads()});
    native_ddp::RequestInstructions(options.instructions);
    if (const std::string refusal = native_ddp::Refusal(options.instructions); !refusal.empty()) {
      std::fprintf(stderr, "Cannot measure: %s\n", refusal.c_str());
      return native_ddp::kUnsuitable;
    }
    native_ddp::Benchmark(options, team).Run();
    return team.Join() ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    // The others would wait for this one for ever; with the first process all end.
    if (getpid() != first) kill(first, SIGTERM);
    return 2;
  }
}
