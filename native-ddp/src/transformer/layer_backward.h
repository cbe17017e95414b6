#pragma once

#include <functional>

#include "transformer/layer_forward.h"
#include "transformer/saved_layer.h"
#include "transformer/workspace.h"

namespace native_ddp {

/**
 * Backward of an AttentionStep from d(context) [Q, H]: adds the prefix's gradient to its slice, and writes
 * d(query_key_value) unless it is null, queries at the front as in the forward.
 */
using AttentionBackwardStep = std::function<void(const float* query_key_value, const float* context_gradient,
                                                 const float* log_sums, float* query_key_value_gradient)>;

/**
 * Backward of RunLayer: workspace.hidden holds the gradient of the outputs [Q, H] and gets that of the input [T, H].
 * For layer 0 it stops at the prefix, below which nothing is trained, and leaves workspace.hidden undefined.
 */
void RunLayerBackward(int layer, const LayerRows& rows, const AttentionBackwardStep& attend_backward,
                      const SavedLayer& saved, Workspace& workspace);

}  // namespace native_ddp
