#pragma once

#include <functional>
#include <vector>

#include "transformer/saved_layer.h"
#include "transformer/workspace.h"

namespace native_ddp {

/**
 * T rows have keys and values, and those of them that are in `queries`, ascending, have an output, Q in all. They have
 * their queries as well, the i-th of them in the Q part of row i of query_key_value.
 */
struct LayerRows {
  int count;                                  // T
  const std::vector<int>* queries = nullptr;  // null: all rows

  /** Q */
  int outputs() const { return queries == nullptr ? count : static_cast<int>(queries->size()); }
  std::int64_t query(std::int64_t i) const { return queries == nullptr ? i : (*queries)[static_cast<std::size_t>(i)]; }
};

/**
 * context[Q, H] from rotated query_key_value[T, 3H]; log_sums[Q, N] is null where no backward follows. Who calls
 * decides which rows see which.
 */
using AttentionStep = std::function<void(const float* query_key_value, float* context, float* log_sums)>;

/** Writes the word embeddings of tokens[0, rows) to workspace.hidden. */
void Embed(const std::int32_t* tokens, int rows, Workspace& workspace);

/**
 * One GLM layer: workspace.hidden [T, H] becomes the outputs [Q, H]; workspace.cosines and sines are those of the T
 * rows. Unless it is null, `saved` gets what the backward needs.
 */
void RunLayer(int layer, const LayerRows& rows, const AttentionStep& attend, SavedLayer* saved, Workspace& workspace);

}  // namespace native_ddp
