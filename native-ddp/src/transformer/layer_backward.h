#pragma once

#include <functional>

#include "transformer/saved_layer.h"
#include "transformer/workspace.h"

namespace native_ddp {

/**
 * Backward of an AttentionStep: adds the prefix's gradient to its slice, and writes d(query_key_value) unless it is
 * null, from d(context).
 */
using AttentionBackwardStep = std::function<void(const float* query_key_value, const float* context_gradient,
                                                 const float* log_sums, float* query_key_value_gradient)>;

/**
 * Backward of RunLayer: workspace.hidden holds the gradient of the layer's output and gets that of its input. For layer
 * 0 it stops at the prefix, below which nothing is trained, and leaves workspace.hidden undefined.
 */
void RunLayerBackward(int layer, int rows, const AttentionBackwardStep& attend_backward, const SavedLayer& saved,
                      Workspace& workspace);

}  // namespace native_ddp
