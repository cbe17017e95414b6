#pragma once

#include <cstdint>

#include "buffer.h"
#include "transformer/sgemm.h"

namespace native_ddp {

/**
 * One head of one sample: `queries` consecutive rows, the first of which is row `first` of its sample, and the rows
 * they may see. Row t sees all P prefix rows and the sample's rows [0, max(t + 1, context_length)). All pointers are at
 * the head's first column, [rows, D] strided.
 */
struct AttentionHead {
  int head_size;
  int queries;
  int first;
  int context_length;
  StridedInput query;  // of row `first`
  StridedInput key;    // of row 0
  StridedInput value;
  int prefix_length;  // 0: prefix_key and prefix_value are not read
  StridedInput prefix_key;
  StridedInput prefix_value;
};

/** Where the gradients of a head go. Those of the prefix are added to, the others overwritten. */
struct AttentionGradients {
  StridedOutput prefix_key;
  StridedOutput prefix_value;
  /** Null data in all three: they are not computed. */
  StridedOutput query;
  StridedOutput key;
  StridedOutput value;
};

/** Scratch memory of one thread. */
struct AttentionScratch {
  Buffer<float> probabilities;
  Buffer<float> gradients;
};

/**
 * output[queries, D] = softmax(query · keyᵀ / √D) · value over the visible rows. Unless it is null, log_sums gets each
 * query's log-sum-exp, log_sums_leading apart, which the backward needs.
 */
void Attend(const AttentionHead& head, StridedOutput output, float* log_sums, std::int64_t log_sums_leading,
            AttentionScratch& scratch);

/** Backward of Attend over a whole sample (first = 0, its length in `queries`) from d(output). */
void AttendBackward(const AttentionHead& head, StridedInput output_gradient, const float* log_sums,
                    std::int64_t log_sums_leading, const AttentionGradients& gradients, AttentionScratch& scratch);

}  // namespace native_ddp
