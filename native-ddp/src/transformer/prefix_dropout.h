#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "threads/thread_pool.h"

namespace native_ddp {

/**
 * Dropout on a prefix [L, 2, P, H], drawn anew for every sample. Element (layer, k, p, j) of the sample with entry
 * number e, where k is 0 for keys and 1 for values, is kept iff its random word is at least Threshold(); kept elements
 * are multiplied by Scale(), the others by zero. The word is a pure function:
 *
 *   n       = p · H + j
 *   word    = Philox4x32-10(counter, key)[n mod 4]
 *   counter = (n div 4, 2 · layer + k, low half of e, high half of e)
 *   key     = (low half of seed, high half of seed)
 */
struct PrefixDropout {
  double rate = 0;
  std::uint64_t seed = 0;

  /** Throws std::invalid_argument unless 0 <= rate < 1. */
  void Validate() const;
  /** rate · 2^32, rounded to nearest. */
  std::uint32_t Threshold() const;
  float Scale() const { return static_cast<float>(1.0 / (1.0 - rate)); }
};

/** Of one layer's prefix keys or values [P, H]: sets bit n for every kept element n. `bits` holds MaskWords(P · H). */
void WriteMask(const PrefixDropout& dropout, std::int64_t entry, int layer, int key_or_value, std::int64_t elements,
               std::uint64_t* bits);

inline std::int64_t MaskWords(std::int64_t elements) { return (elements + 63) / 64; }

/** The masks of a micro-batch's samples as bits, made once and used by forward and backward. */
class PrefixMasks {
 public:
  /**
   * entries: of the samples, in batch order; slabs: 2 · L; elements: P · H. A rate of 0 makes no masks. Advances
   * progress with every slab done.
   */
  void Make(const PrefixDropout& dropout, const std::vector<std::int64_t>& entries, int slabs, std::int64_t elements,
            ThreadPool& pool, std::atomic<std::uint64_t>& progress);

  bool active() const { return active_; }
  float scale() const { return scale_; }
  const std::uint64_t* bits(int sample, int layer, int key_or_value) const {
    return bits_.data() + (static_cast<std::int64_t>(sample) * slabs_ + 2 * layer + key_or_value) * words_;
  }

 private:
  bool active_ = false;
  float scale_ = 1;
  int slabs_ = 0;
  std::int64_t words_ = 0;
  Buffer<std::uint64_t> bits_;
};

}  // namespace native_ddp
