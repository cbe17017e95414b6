#pragma once

#include <cstdint>

#include "threads/thread_pool.h"

namespace native_ddp {

/** Settings of one AdamW step, as Hugging Face's AdamW has them. */
struct AdamWStep {
  double learning_rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  std::int64_t step;       // t, counted from 1
  double gradient_factor;  // 1 / samples · clip coefficient, or the like
};

/**
 * g = factor · gradient; m += (1 - β1)(g - m) in the usual form; v likewise with g²;
 * w -= lr · √(1 - β2^t) / (1 - β1^t) · m / (√v + ε); then w -= lr · decay · w.
 *
 * In FP32 element by element, with scalars computed in FP64 and rounded once: bit-identical on every CPU and for every
 * number of threads. Parameters have no copy in BF16: attention reads the prefix in FP32, so nothing would be read from
 * one. Throws std::invalid_argument for a step below 1.
 */
void AdamW(std::int64_t count, const AdamWStep& step, const float* gradient, float* parameter, float* m, float* v,
           ThreadPool& pool);

/** x = 0, as gradients are before a step. */
void Clear(std::int64_t count, float* x, ThreadPool& pool);

}  // namespace native_ddp
