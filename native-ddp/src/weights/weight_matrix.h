#pragma once

#include <cstdint>

namespace native_ddp {

enum class ElementType { kFloat32, kBfloat16 };

/** A row-major matrix of the frozen model; the memory belongs to the weight file. */
struct WeightMatrix {
  const void* data = nullptr;
  ElementType type = ElementType::kFloat32;
  int rows = 0;
  int columns = 0;
  int leading = 0;  // elements from one row to the next

  /** `count` of its rows. */
  WeightMatrix Rows(int first, int count) const {
    const void* begin =
        type == ElementType::kFloat32 ? static_cast<const void*>(Float32(first, 0)) : Bfloat16(first, 0);
    return {begin, type, count, columns, leading};
  }

  const float* Float32(std::int64_t row, std::int64_t column) const {
    return static_cast<const float*>(data) + row * leading + column;
  }
  const std::uint16_t* Bfloat16(std::int64_t row, std::int64_t column) const {
    return static_cast<const std::uint16_t*>(data) + row * leading + column;
  }
};

}  // namespace native_ddp
