#include "transformer/bfloat16.h"

#include <cstring>

#include "transformer/clones.h"

namespace native_ddp {

NATIVE_DDP_CLONES void ToBfloat16(std::int64_t count, const float* __restrict from, std::uint16_t* __restrict to) {
  constexpr std::uint32_t kAbsolute = 0x7fffffff;
  constexpr std::uint32_t kInfinity = 0x7f800000;
  constexpr std::uint32_t kQuiet = 0x00400000;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, from + i, sizeof bits);
    const std::uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    // Rounding would carry a NaN with a small payload into infinity.
    const bool nan = (bits & kAbsolute) > kInfinity;
    to[i] = static_cast<std::uint16_t>((nan ? bits | kQuiet : rounded) >> 16);
  }
}

NATIVE_DDP_CLONES void FromBfloat16(std::int64_t count, const std::uint16_t* __restrict from, float* __restrict to) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(from[i]) << 16;
    std::memcpy(to + i, &bits, sizeof bits);
  }
}

}  // namespace native_ddp
