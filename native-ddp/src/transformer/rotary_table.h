#pragma once

#include <vector>

namespace native_ddp {

/**
 * Cosines and sines of the rotary embedding by position. A head of size D has two halves that rotate by two positions;
 * each half has D/4 frequencies 10000^(-4i/D), rounded to FP16 as the official model holds them.
 */
class RotaryTable {
 public:
  explicit RotaryTable(int head_size);

  /** Makes positions [0, count) available. */
  void Grow(int count);

  /** Writes D/2 cosines and D/2 sines: the first half's frequencies at `position`, then the second's at `block`. */
  void Write(int position, int block, float* cosines, float* sines) const;

 private:
  int pairs_;  // D/4
  std::vector<float> frequencies_;
  std::vector<float> cosines_;  // [positions, D/4]
  std::vector<float> sines_;
};

/** Rounds to FP16, nearest even, for values that are normal there. */
float RoundToFloat16(float value);

}  // namespace native_ddp
