#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "buffer.h"
#include "threads/thread_pool.h"
#include "transformer/instruction_set.h"
#include "transformer/measured_gemm.h"
#include "transformer/rotary_table.h"
#include "transformer/row_kernels.h"
#include "weights/model_weights.h"

namespace native_ddp {

/** α of the residual connections: √(2 · 28) in every ChatGLM, whatever its number of layers. */
constexpr float kResidualScale = 7.48331477354788F;

/** Of a buffer that holds so many rows. */
inline std::size_t Elements(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

/** What all parts of the transformer share: weights, threads, products, and scratch memory that only grows. */
struct Workspace {
  Workspace(const WeightSource& source, const ModelDimensions& dimensions, int threads, InstructionSet instructions,
            AmxHost& host)
      : weights(source, dimensions),
        requested(RequestInstructions(instructions, host)),
        pool(threads),
        gemm(std::make_unique<MeasuredGemm>(MakeGemm(requested, pool, progress, host))),
        rotary(dimensions.head_size()),
        row_scratch(static_cast<std::size_t>(threads)) {}

  const ModelDimensions& dimensions() const { return weights.dimensions(); }

  /** A row of FP32 for one thread, as wide as the widest activation. */
  float* Row(int thread) {
    const auto widest = static_cast<std::size_t>(std::max(3 * dimensions().hidden, dimensions().inner));
    return row_scratch[static_cast<std::size_t>(thread)].Ensure(widest);
  }

  /** Calls body(row, thread) for rows [0, rows) of the given width; little work stays on one thread. */
  template <class Body>
  void ForRows(int rows, int width, const Body& body) {
    constexpr int kLeastElements = 16 << 10;
    pool.ForEach(rows, 1 + kLeastElements / width, [&](std::int64_t begin, std::int64_t end, int thread) {
      for (std::int64_t index = begin; index < end; ++index) body(index, thread);
    });
  }

  /** Rotates the N heads at `heads` as those of a row, or back. */
  void RotateHeads(std::int64_t row, float* heads) {
    Rotate(dimensions().heads, dimensions().head_size(), cosines.data() + row * rotary_width(),
           sines.data() + row * rotary_width(), heads);
  }
  void RotateHeadsBack(std::int64_t row, float* heads) {
    RotateBack(dimensions().heads, dimensions().head_size(), cosines.data() + row * rotary_width(),
               sines.data() + row * rotary_width(), heads);
  }
  int rotary_width() const { return dimensions().head_size() / 2; }

  ModelWeights weights;
  std::atomic<std::uint64_t> progress{0};
  InstructionSet requested;  // before the threads: what the kernel then grants holds for those that are made later
  ThreadPool pool;
  std::unique_ptr<MeasuredGemm> gemm;
  RotaryTable rotary;

  Buffer<float> cosines;     // [T, D/2] of the rows at hand
  Buffer<float> sines;       // [T, D/2]
  Buffer<float> hidden;      // [T, H] between layers; its gradient in the backward
  Buffer<float> normalised;  // [T, H]
  Buffer<float> attended;    // [T, H]
  Buffer<float> wide;        // [T, 3H]
  Buffer<float> inner;       // [T, max(I, 3H)]
  std::vector<Buffer<float>> row_scratch;
};

}  // namespace native_ddp
