#include "transformer/prefix_dropout.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>

#include "message.h"
#include "transformer/clones.h"
#include "transformer/philox.h"

namespace native_ddp {

void PrefixDropout::Validate() const {
  if (!(rate >= 0 && rate < 1)) {
    throw std::invalid_argument(Message("Invalid dropout rate: ", rate, " (must be at least 0 and below 1)"));
  }
}

std::uint32_t PrefixDropout::Threshold() const {
  constexpr double kWords = 4294967296.0;
  return static_cast<std::uint32_t>(std::min(std::nearbyint(rate * kWords), kWords - 1));
}

NATIVE_DDP_CLONES void WriteMask(const PrefixDropout& dropout, std::int64_t entry, int layer, int key_or_value,
                                 std::int64_t elements, std::uint64_t* bits) {
  const std::uint32_t threshold = dropout.Threshold();
  const auto half = [](std::uint64_t value, int high) { return static_cast<std::uint32_t>(value >> (32 * high)); };
  const auto number = static_cast<std::uint64_t>(entry);
  const auto slab = static_cast<std::uint32_t>(2 * layer + key_or_value);
  constexpr int kCalls = 16;  // of four words each, for one word of bits
  for (std::int64_t word = 0; word < MaskWords(elements); ++word) {
    std::uint32_t kept[kCalls];
    for (std::uint32_t call = 0; call < kCalls; ++call) {
      const auto random =
          Philox({static_cast<std::uint32_t>(word) * kCalls + call, slab, half(number, 0), half(number, 1)},
                 {half(dropout.seed, 0), half(dropout.seed, 1)});
      kept[call] = static_cast<std::uint32_t>(random[0] >= threshold) |
                   static_cast<std::uint32_t>(random[1] >= threshold) << 1 |
                   static_cast<std::uint32_t>(random[2] >= threshold) << 2 |
                   static_cast<std::uint32_t>(random[3] >= threshold) << 3;
    }
    std::uint64_t gathered = 0;
    for (int call = 0; call < kCalls; ++call) gathered |= std::uint64_t{kept[call]} << (4 * call);
    bits[word] = gathered;
  }
}

void PrefixMasks::Make(const PrefixDropout& dropout, const std::vector<std::int64_t>& entries, int slabs,
                       std::int64_t elements, ThreadPool& pool, std::atomic<std::uint64_t>& progress) {
  dropout.Validate();
  active_ = dropout.rate > 0;
  if (!active_) return;
  scale_ = dropout.Scale();
  slabs_ = slabs;
  words_ = MaskWords(elements);
  const auto count = static_cast<std::int64_t>(entries.size()) * slabs;
  std::uint64_t* bits = bits_.Ensure(static_cast<std::size_t>(count * words_));
  pool.ForEach(count, 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto slab = static_cast<int>(i % slabs);
      WriteMask(dropout, entries[static_cast<std::size_t>(i / slabs)], slab / 2, slab % 2, elements, bits + i * words_);
      progress.fetch_add(1, std::memory_order_relaxed);
    }
  });
}

}  // namespace native_ddp
