// The products of a decoding step against the bandwidth with which the same weights can be read, all in one run.
//
//   decode_benchmark [--cpus 0,1] [--rounds 5] [--rows 1,2,4,8,16] [--kernels avx2|avx512|gemm] [--pages small|large]
//                    [--layers 4]
//
// gemm is AVX2 products of any number of rows, which take the avx2 kernels while rows are few.
//
// As many threads as CPUs, pinned to them. The weights are those of a few layers of ChatGLM-6B in BF16, of four 1.6 GB:
// more than any cache holds. One JSON object a line, the machine first; the read bandwidth is that of the faster of two
// loops. Each round times reading and the products one after the other, so that what else the machine does hits all
// alike.
#include <sys/mman.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>

#include "buffer.h"
#include "calibration/read_loop.h"
#include "machine.h"
#include "measuring.h"
#include "threads/thread_pool.h"
#include "transformer/bfloat16.h"
#include "transformer/gemv.h"
#include "transformer/panel_gemm.h"

namespace native_ddp {
namespace {

constexpr int kWidest = 16384;
constexpr int kMostRows = 64;

struct Options {
  std::vector<int> cpus{FirstCpu()};
  std::vector<int> rows{1, 2, 4, 8, 16};
  int rounds = 5;
  int layers = 4;
  std::string kernels = "avx2";
  bool large_pages = false;
};

Options Parse(int count, char** arguments) {
  Options options;
  ForEachOption(count, arguments, [&options](const std::string& key, const std::string& value) {
    if (key == "--cpus") {
      options.cpus = Integers(value);
    } else if (key == "--rows") {
      options.rows = Integers(value);
    } else if (key == "--rounds") {
      options.rounds = std::stoi(value);
    } else if (key == "--layers") {
      options.layers = std::stoi(value);
    } else if (key == "--kernels" && (value == "avx2" || value == "avx512" || value == "gemm")) {
      options.kernels = value;
    } else if (key == "--pages" && (value == "small" || value == "large")) {
      options.large_pages = value == "large";
    } else {
      return false;
    }
    return true;
  });
  if (options.layers < 1) throw std::invalid_argument("Invalid --layers (must be positive)");
  if (options.rounds < 1) throw std::invalid_argument("Invalid --rounds (must be positive)");
  for (const int rows : options.rows) {
    const int most = options.kernels == "gemm" ? kMostRows : Gemv::kMostRows;
    if (rows < 1 || rows > most) {
      throw std::invalid_argument("Invalid --rows: " + std::to_string(rows) + " (must be from 1 to " +
                                  std::to_string(most) + ")");
    }
  }
  return options;
}

/** The matrices of the layers, one after the other as in a weight file. */
class Weights {
 public:
  Weights(int layers, bool large_pages) {
    for (const Product& product : kProducts) bytes_ += layers * Bytes(product);
    const auto size = static_cast<std::size_t>(bytes_);
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    madvise(memory, size, large_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    data_ = static_cast<std::uint16_t*>(memory);
    std::vector<float> values(1 << 20);
    Fill(static_cast<std::int64_t>(values.size()), 1, values.data());
    const auto step = static_cast<std::int64_t>(values.size());
    for (std::int64_t i = 0; i < bytes_ / 2; i += step) {
      ToBfloat16(std::min(step, bytes_ / 2 - i), values.data(), data_ + i);
    }
    const std::uint16_t* next = data_;
    for (int layer = 0; layer < layers; ++layer) {
      for (const Product& product : kProducts) {
        matrices_.push_back({next, ElementType::kBfloat16, product.outputs, product.inputs, product.inputs});
        next += Bytes(product) / 2;
      }
    }
  }
  ~Weights() { munmap(data_, static_cast<std::size_t>(bytes_)); }
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  std::int64_t bytes() const { return bytes_; }
  const char* data() const { return reinterpret_cast<const char*>(data_); }
  const std::vector<WeightMatrix>& matrices() const { return matrices_; }

 private:
  static std::int64_t Bytes(const Product& product) { return std::int64_t{2} * product.inputs * product.outputs; }

  std::uint16_t* data_ = nullptr;
  std::int64_t bytes_ = 0;
  std::vector<WeightMatrix> matrices_;
};

class Benchmark {
 public:
  explicit Benchmark(const Options& options)
      : options_(options),
        pool_(static_cast<int>(options.cpus.size())),
        gemv_(options.kernels == "avx512" ? kAvx512GemvKernels : kAvx2GemvKernels, pool_, progress_),
        gemm_(pool_, progress_),
        weights_(options.layers, options.large_pages) {
    const std::size_t elements = std::size_t{kMostRows} * kWidest;
    Fill(static_cast<std::int64_t>(elements), 2, x_.Ensure(elements));
    Fill(static_cast<std::int64_t>(elements), 3, y_.Ensure(elements));
  }

  void Run() {
    nlohmann::json machine = Machine(options_.cpus);
    machine["configuration"] = {{"layers", options_.layers},
                                {"rounds", options_.rounds},
                                {"kernel", options_.kernels},
                                {"pages", options_.large_pages ? "large" : "small"}};
    std::cout << machine << std::endl;
    std::vector<double> plain;
    std::vector<double> ahead;
    std::vector<std::vector<double>> products(options_.rows.size());
    for (const int rows : options_.rows) {
      for (std::size_t i = 0; i < std::size(kProducts); ++i) Verify(rows, weights_.matrices()[i]);
    }
    for (int round = 0; round < options_.rounds; ++round) {
      plain.push_back(Seconds(false, [this] { Read(ReadLoop); }));
      ahead.push_back(Seconds(false, [this] { Read(ReadLoopAhead); }));
      for (std::size_t i = 0; i < options_.rows.size(); ++i) {
        products[i].push_back(Seconds(false, [&] {
          for (const WeightMatrix& matrix : weights_.matrices()) Multiply(options_.rows[i], matrix);
        }));
      }
    }
    const std::vector<double>& read = Minimum(plain) < Minimum(ahead) ? plain : ahead;
    const double gigabytes = 1e-9 * static_cast<double>(weights_.bytes());
    for (std::size_t i = 0; i < options_.rows.size(); ++i) {
      const double least = Minimum(products[i]);
      const double median = Median(products[i]);
      std::cout << nlohmann::json{{"rows", options_.rows[i]},
                                  {"kernel", options_.kernels},
                                  {"threads", pool_.threads()},
                                  {"pages", options_.large_pages ? "large" : "small"},
                                  {"rounds", options_.rounds},
                                  {"read_gigabytes_per_second", gigabytes / Minimum(read)},
                                  {"read_gigabytes_per_second_median", gigabytes / Median(read)},
                                  {"gigabytes_per_second", gigabytes / least},
                                  {"gigabytes_per_second_median", gigabytes / median},
                                  {"read_bandwidth_fraction", Minimum(read) / least},
                                  {"read_bandwidth_fraction_median", Median(read) / median},
                                  {"milliseconds_per_layer", 1e3 * least / options_.layers},
                                  {"milliseconds_per_token_and_layer",
                                   1e3 * least / options_.layers / options_.rows[i]}}
                << std::endl;
    }
  }

 private:
  void Read(void (*loop)(const void*, std::int64_t)) {
    pool_.ForEach(weights_.bytes() / kReadStep, 1, [&](std::int64_t begin, std::int64_t end, int) {
      loop(weights_.data() + begin * kReadStep, (end - begin) * kReadStep);
    });
  }

  void Multiply(int rows, const WeightMatrix& matrix) {
    const StridedInput x{x_.data(), matrix.columns};
    const StridedOutput y{y_.data(), matrix.rows};
    if (options_.kernels == "gemm") {
      gemm_.Forward(rows, x, matrix, y, Output::kOverwrite);
    } else {
      gemv_.Forward(rows, x, matrix, y, Output::kOverwrite);
    }
  }

  /** Throws if elements spread over the result are not those of an FP64 product. */
  void Verify(int rows, const WeightMatrix& matrix) {
    Multiply(rows, matrix);
    std::minstd_rand generator(5);
    for (int i = 0; i < 200; ++i) {
      const std::int64_t row = i == 0 ? rows - 1 : static_cast<std::int64_t>(generator()) % rows;
      const std::int64_t column = i == 0 ? matrix.rows - 1 : static_cast<std::int64_t>(generator()) % matrix.rows;
      std::vector<float> weight(static_cast<std::size_t>(matrix.columns));
      FromBfloat16(matrix.columns, matrix.Bfloat16(column, 0), weight.data());
      double sum = 0;
      for (std::size_t k = 0; k < weight.size(); ++k) {
        sum += static_cast<double>(x_.data()[static_cast<std::size_t>(row * matrix.columns) + k]) * weight[k];
      }
      if (!(std::abs(y_.data()[row * matrix.rows + column] - sum) <= 2e-6 * matrix.columns)) {
        throw std::runtime_error("Invalid product: an element differs from its FP64 value");
      }
    }
  }

  Options options_;
  ThreadPool pool_;
  std::atomic<std::uint64_t> progress_{0};
  Gemv gemv_;
  Avx2Gemm gemm_;
  Weights weights_;
  Buffer<float> x_;
  Buffer<float> y_;
};

}  // namespace
}  // namespace native_ddp

int main(int count, char** arguments) {
  try {
    const native_ddp::Options options = native_ddp::Parse(count, arguments);
    native_ddp::Pin(options.cpus);
    using native_ddp::InstructionSet;
    const InstructionSet needed = options.kernels == "avx512" ? InstructionSet::kAvx512Bf16 : InstructionSet::kAvx2;
    if (const std::string refusal = native_ddp::Refusal(needed); !refusal.empty()) {
      std::fprintf(stderr, "Cannot measure: %s\n", refusal.c_str());
      return native_ddp::kUnsuitable;
    }
    native_ddp::Benchmark(options).Run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
