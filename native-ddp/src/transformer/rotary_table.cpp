#include "transformer/rotary_table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace native_ddp {

float RoundToFloat16(float value) {
  constexpr std::uint32_t kDropped = 23 - 10;  // mantissa bits
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits += (1U << (kDropped - 1)) - 1 + ((bits >> kDropped) & 1);
  bits &= ~((1U << kDropped) - 1);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

RotaryTable::RotaryTable(int head_size) : pairs_(head_size / 4) {
  for (int i = 0; i < pairs_; ++i) {
    const float exponent = static_cast<float>(4 * i) / static_cast<float>(head_size);
    frequencies_.push_back(RoundToFloat16(1.0F / std::pow(10000.0F, exponent)));
  }
}

void RotaryTable::Grow(int count) {
  const auto pairs = static_cast<std::size_t>(pairs_);
  const std::size_t first = cosines_.size() / pairs;
  if (first >= static_cast<std::size_t>(count)) return;
  for (std::size_t position = first; position < static_cast<std::size_t>(count); ++position) {
    for (const float frequency : frequencies_) {
      const float angle = static_cast<float>(position) * frequency;
      cosines_.push_back(std::cos(angle));
      sines_.push_back(std::sin(angle));
    }
  }
}

void RotaryTable::Write(int position, int block, float* cosines, float* sines) const {
  const auto copy = [this](const std::vector<float>& table, int row, float* to) {
    std::copy_n(table.begin() + static_cast<std::ptrdiff_t>(row) * pairs_, pairs_, to);
  };
  copy(cosines_, position, cosines);
  copy(cosines_, block, cosines + pairs_);
  copy(sines_, position, sines);
  copy(sines_, block, sines + pairs_);
}

}  // namespace native_ddp
