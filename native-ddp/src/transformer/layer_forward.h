#pragma once

#include <functional>

#include "transformer/saved_layer.h"
#include "transformer/workspace.h"

namespace native_ddp {

/**
 * context[T, H] from rotated query_key_value[T, 3H]; log_sums[T, N] is null where no backward follows. Who calls
 * decides which rows see which.
 */
using AttentionStep = std::function<void(const float* query_key_value, float* context, float* log_sums)>;

/** Writes the word embeddings of tokens[0, rows) to workspace.hidden. */
void Embed(const std::int32_t* tokens, int rows, Workspace& workspace);

/**
 * One GLM layer over `rows` rows of workspace.hidden, in place; workspace.cosines and sines are those of the rows.
 * Unless it is null, `saved` gets what the backward needs.
 */
void RunLayer(int layer, int rows, const AttentionStep& attend, SavedLayer* saved, Workspace& workspace);

}  // namespace native_ddp
