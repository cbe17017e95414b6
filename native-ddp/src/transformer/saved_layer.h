#pragma once

#include <cstdint>
#include <cstring>

#include "buffer.h"
#include "transformer/bfloat16.h"
#include "weights/weight_matrix.h"

namespace native_ddp {

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

  void Store(std::int64_t row, const float* values) {
    if (type_ == ElementType::kFloat32) {
      std::memcpy(float32_.data() + row * columns_, values, static_cast<std::size_t>(columns_) * sizeof(float));
    } else {
      ToBfloat16(columns_, values, bfloat16_.data() + row * columns_);
    }
  }

  /** The row where it lies, or converted into scratch, which has room for one row. */
  const float* Load(std::int64_t row, float* scratch) const {
    if (type_ == ElementType::kFloat32) return float32_.data() + row * columns_;
    FromBfloat16(columns_, bfloat16_.data() + row * columns_, scratch);
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
  SavedRows input_normalised;  // [T, H], before weight and bias
  SavedRows query_key_value;   // [T, 3H], rotated
  SavedRows post_attention_normalised;
  SavedRows gelu_input;           // [T, I]
  Buffer<float> input_deviation;  // [T], inverse
  Buffer<float> post_attention_deviation;
  Buffer<float> log_sums;  // [T, N] of the attention scores
};

}  // namespace native_ddp
