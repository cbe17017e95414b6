#pragma once

#include <cstdint>
#include <cstring>

#include "buffer.h"
#include "transformer/bfloat16.h"
#include "weights/weight_matrix.h"

namespace native_ddp {

/** What several kernels do to a row they do to so many values at a time, which stay in the first-level cache. */
constexpr int kCached = 2048;

/** Rows kept from forward to backward: as they are in FP32, or rounded to BF16. */
class SavedRows {
 public:
  /** The content is undefined afterwards. */
  void Resize(ElementType type, std::int64_t rows, std::int64_t columns) {
    type_ = type;
    columns_ = columns;
    if (type == ElementType::kFloat32) {
      float32_.Ensure(static_cast<std::size_t>(rows * columns));
    } else {
      bfloat16_.Ensure(static_cast<std::size_t>(rows * columns));
    }
  }

  /** Columns [column, column + count) of a row. */
  void Store(std::int64_t row, std::int64_t column, std::int64_t count, const float* values) {
    const std::int64_t at = row * columns_ + column;
    if (type_ == ElementType::kFloat32) {
      std::memcpy(float32_.data() + at, values, static_cast<std::size_t>(count) * sizeof(float));
    } else {
      ToBfloat16(count, values, bfloat16_.data() + at);
    }
  }

  /** Columns of a row where they lie, or converted into scratch, which has room for them. */
  const float* Load(std::int64_t row, std::int64_t column, std::int64_t count, float* scratch) const {
    const std::int64_t at = row * columns_ + column;
    if (type_ == ElementType::kFloat32) return float32_.data() + at;
    FromBfloat16(count, bfloat16_.data() + at, scratch);
    return scratch;
  }

 private:
  ElementType type_ = ElementType::kFloat32;
  std::int64_t columns_ = 0;
  Buffer<float> float32_;
  Buffer<std::uint16_t> bfloat16_;
};

/** What a layer's backward needs of its forward. */
struct SavedLayer {
  SavedRows input_normalised;              // [T, H], before weight and bias
  SavedRows query_key_value;               // [T, 3H], rotated; queries in the first Q rows
  SavedRows post_attention_normalised;     // [Q, H]
  SavedRows gelu_input;                    // [Q, I]
  Buffer<float> input_deviation;           // [T], inverse
  Buffer<float> post_attention_deviation;  // [Q]
  Buffer<float> log_sums;                  // [Q, N] of the attention scores
};

}  // namespace native_ddp
