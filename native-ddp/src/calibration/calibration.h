#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "buffer.h"
#include "threads/thread_pool.h"
#include "transformer/gemm.h"
#include "transformer/instruction_set.h"

namespace native_ddp {

/** What all threads do together. */
struct Rates {
  double operations_per_second = 0;  // of products with BF16 weights, two for each multiplication and addition
  double bytes_per_second = 0;       // read from memory
};

/**
 * Measures what a process's CPUs and memory do for the engine: its products in both directions, and reading, over as
 * many weights as a layer of ChatGLM-6B has, which no cache holds. Owns its threads and these 0.4 GB, in whatever
 * memory the process gets. For one thread at a time, except progress.
 */
class Calibration {
 public:
  /** `blocks` matrices [hidden, hidden], and `rows` of activations. */
  struct Size {
    int rows = 512;
    int hidden = 4096;
    int blocks = 12;
  };

  /** Throws as ThreadPool and MakeGemm do. */
  Calibration(int threads, InstructionSet instructions, const Size& size, AmxHost& host = ThisHost());

  /** Products for half the time, then reads; at least one of each. Throws std::invalid_argument unless positive. */
  Rates Measure(double seconds);

  /** What multiplies, as FrozenTransformer calls it. */
  std::string kernels() const { return gemm_->name(ElementType::kBfloat16) + "/bf16"; }

  /** Grows while anything is measured. */
  std::uint64_t progress() const { return progress_; }

 private:
  void Multiply(int block);
  void Read(void (*loop)(const void*, std::int64_t));
  /** The rate of the whole weights, read by `loop` for so long. */
  double BytesPerSecond(void (*loop)(const void*, std::int64_t), double seconds);
  std::int64_t BlockElements() const { return std::int64_t{size_.hidden} * size_.hidden; }
  std::int64_t Bytes() const { return 2 * size_.blocks * BlockElements(); }

  Size size_;
  std::atomic<std::uint64_t> progress_{0};
  InstructionSet requested_;  // before the threads are made, as RequestInstructions needs
  ThreadPool pool_;
  std::unique_ptr<Gemm> gemm_;
  Buffer<std::uint16_t> weights_;  // [blocks, H, H]
  Buffer<float> x_;                // [rows, H]
  Buffer<float> y_;                // [rows, H]
};

}  // namespace native_ddp
