#pragma once

#include <cstdint>
#include <vector>

namespace native_ddp {

constexpr std::int32_t kIgnored = -100;

/** One sample of a packed batch; its rows are [begin, begin + length) of the batch. */
struct PackedSample {
  std::int64_t entry;  // its place in the run's sequence: the key of its dropout mask
  float weight;        // of its summed loss in the gradient
  int begin;           // first packed row
  int length;          // rows
  int context_length;  // c: rows before c see each other both ways; rows from c on see what came before
  int mask_position;   // m: the rotary position of all rows from c on
};

/**
 * A micro-batch without padding: the rows of its samples one after another. Row t of a sample holds an input token and
 * the token to be predicted from it, or kIgnored. T rows in all, R of them labelled.
 */
struct PackedBatch {
  std::vector<std::int32_t> tokens;   // [T]
  std::vector<std::int32_t> targets;  // [T]
  std::vector<PackedSample> samples;

  int rows() const { return static_cast<int>(tokens.size()); }

  /** Throws std::invalid_argument naming the sample, unless the samples tile the rows and every number is in range. */
  void Validate(int vocabulary) const;

  /** Packed rows with a label, ascending. */
  std::vector<int> LabelledRows() const;
};

/** The two rotary positions of row t of a sample (chatglm 2-D positions). */
struct RotaryPosition {
  int position;
  int block;
};
inline RotaryPosition PositionOf(int row, int context_length, int mask_position) {
  return row < context_length ? RotaryPosition{row, 0} : RotaryPosition{mask_position, row - context_length + 1};
}

/** Rows of its own sample that row t sees, the first ones. */
inline int VisibleRows(int row, int context_length) { return row < context_length ? context_length : row + 1; }

}  // namespace native_ddp
