#pragma once

#include <cstdint>

#include "buffer.h"
#include "transformer/sgemm.h"

namespace native_ddp {

/**
 * One head of one sample: some of its rows as queries, and what they may see. A query sees all P prefix rows and the
 * sample's first rows, as many as `visible` says; a later query never sees less. All pointers are at the head's first
 * column, [rows, D] strided.
 */
struct AttentionHead {
  int head_size;
  int queries;
  const int* visible;  // [queries]
  StridedInput query;  // [queries, D]
  int rows;            // of the sample
  StridedInput key;    // [rows, D]
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
  StridedOutput query;  // [queries, D]
  StridedOutput key;    // [rows, D]
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

/** Backward of Attend from d(output). */
void AttendBackward(const AttentionHead& head, StridedInput output_gradient, const float* log_sums,
                    std::int64_t log_sums_leading, const AttentionGradients& gradients, AttentionScratch& scratch);

}  // namespace native_ddp
