#include "transformer/frozen_transformer.h"

#include <algorithm>
#include <stdexcept>

#include "message.h"
#include "transformer/layer_backward.h"
#include "transformer/rotary_rows.h"

namespace native_ddp {

FrozenTransformer::FrozenTransformer(const WeightSource& source, const ModelDimensions& dimensions, int threads,
                                     InstructionSet instructions, AmxHost& host)
    : workspace_(source, dimensions, threads, instructions, host),
      attention_(workspace_),
      output_layer_(workspace_),
      decoder_(workspace_, output_layer_),
      saved_(static_cast<std::size_t>(dimensions.layers)) {}

void FrozenTransformer::Forward(const PackedBatch& batch, const Prefix& prefix, const PrefixDropout& dropout,
                                bool save) {
  batch.Validate(dimensions().vocabulary);
  if (prefix.length < 0) {
    throw std::invalid_argument(Message("Invalid prefix length: ", prefix.length, " (must not be negative)"));
  }
  labelled_ = batch.LabelledRows();
  attention_.Begin(batch, labelled_, prefix, dropout);
  int longest = 0;
  for (const PackedSample& sample : batch.samples) longest = std::max(longest, sample.length);
  RotaryRows rows(batch.rows(), longest + 1, workspace_);
  for (const PackedSample& sample : batch.samples) {
    for (int t = 0; t < sample.length; ++t) {
      rows.Set(sample.begin + t, PositionOf(t, sample.context_length, sample.mask_position));
    }
  }
  Embed(batch.tokens.data(), batch.rows(), workspace_);
  for (int layer = 0; layer < dimensions().layers; ++layer) {
    const AttentionStep attend = [&](const float* query_key_value, float* context, float* log_sums) {
      attention_.Forward(layer, query_key_value, context, log_sums);
    };
    RunLayer(layer, RowsOf(layer, batch), attend, save ? &saved_[static_cast<std::size_t>(layer)] : nullptr,
             workspace_);
  }
}

std::vector<double> FrozenTransformer::ForwardBackward(const PackedBatch& batch, const Prefix& prefix,
                                                       const PrefixDropout& dropout, float* gradient,
                                                       const std::function<void(int layer)>& layer_finished) {
  if (prefix.length == 0) throw std::invalid_argument("Invalid prefix length: 0 (there is nothing to train)");
  Forward(batch, prefix, dropout, true);
  std::vector<double> losses = output_layer_.LossesAndGradient(batch, labelled_);
  for (int layer = dimensions().layers - 1; layer >= 0; --layer) {
    const AttentionBackwardStep attend_backward = [&](const float* query_key_value, const float* context_gradient,
                                                      const float* log_sums, float* query_key_value_gradient) {
      attention_.Backward(layer, query_key_value, context_gradient, log_sums, query_key_value_gradient, gradient);
    };
    RunLayerBackward(layer, RowsOf(layer, batch), attend_backward, saved_[static_cast<std::size_t>(layer)], workspace_);
    layer_finished(layer);
  }
  return losses;
}

std::vector<double> FrozenTransformer::Losses(const PackedBatch& batch, const Prefix& prefix) {
  Forward(batch, prefix, PrefixDropout{}, false);
  return output_layer_.Losses(batch, labelled_);
}

std::string FrozenTransformer::kernels() const {
  const ElementType precision = workspace_.weights.precision();
  return workspace_.gemm->name(precision) + (precision == ElementType::kBfloat16 ? "/bf16" : "/fp32");
}

}  // namespace native_ddp
