#include "transformer/layer_backward.h"

#include <cstring>

#include "transformer/row_kernels.h"

// T rows, H hidden, I inner.
namespace native_ddp {
namespace {

std::size_t Elements(std::int64_t rows, std::int64_t columns) { return static_cast<std::size_t>(rows * columns); }

void GeluRowsBackward(int rows, const SavedRows& saved, float* gradient, Workspace& workspace) {
  const int width = workspace.dimensions().inner;
  workspace.ForRows(rows, width, [&](std::int64_t row, int thread) {
    GeluBackward(width, saved.Load(row, workspace.Row(thread)), gradient + row * width);
  });
}

void NormaliseBackward(int rows, const float* dy, const LayerNormWeights& norm, const SavedRows& normalised,
                       const float* deviations, float* dx, Workspace& workspace) {
  const int hidden = workspace.dimensions().hidden;
  workspace.ForRows(rows, hidden, [&](std::int64_t row, int thread) {
    LayerNormBackward(hidden, dy + row * hidden, norm.weight, normalised.Load(row, workspace.Row(thread)),
                      deviations[row], dx + row * hidden);
  });
}

void ScaleRows(int rows, const float* x, float* y, Workspace& workspace) {
  const int hidden = workspace.dimensions().hidden;
  workspace.ForRows(rows, hidden,
                    [&](std::int64_t row, int) { Scale(hidden, kResidualScale, x + row * hidden, y + row * hidden); });
}

void RotateRowsBack(int rows, float* query_key_value, Workspace& workspace) {
  const ModelDimensions& size = workspace.dimensions();
  const int half = size.head_size() / 2;
  workspace.ForRows(rows, 3 * size.hidden, [&](std::int64_t row, int) {
    RotateBack(2 * size.heads, size.head_size(), workspace.cosines.data() + row * half,
               workspace.sines.data() + row * half, query_key_value + row * 3 * size.hidden);
  });
}

/** The rows side by side as FP32: attention reads them with a stride. */
void LoadRows(int rows, int width, const SavedRows& saved, float* to, Workspace& workspace) {
  workspace.ForRows(rows, width, [&](std::int64_t row, int) {
    float* place = to + row * width;
    const float* loaded = saved.Load(row, place);
    if (loaded != place) std::memcpy(place, loaded, static_cast<std::size_t>(width) * sizeof(float));
  });
}

}  // namespace

void RunLayerBackward(int layer, int rows, const AttentionBackwardStep& attend_backward, const SavedLayer& saved,
                      Workspace& workspace) {
  const LayerWeights& weights = workspace.weights.layer(layer);
  const int hidden = workspace.dimensions().hidden;
  const int inner_size = workspace.dimensions().inner;
  float* stream = workspace.hidden.data();
  float* sum = workspace.normalised.Ensure(Elements(rows, hidden));
  float* attended = workspace.attended.Ensure(Elements(rows, hidden));
  float* query_key_value = workspace.wide.Ensure(Elements(rows, 3 * hidden));
  float* inner = workspace.inner.Ensure(Elements(rows, std::max(inner_size, 3 * hidden)));
  Gemm& gemm = *workspace.gemm;

  gemm.Backward(rows, {stream, hidden}, weights.dense_4h_to_h.weight, {inner, inner_size}, Output::kOverwrite);
  GeluRowsBackward(rows, saved.gelu_input, inner, workspace);
  ScaleRows(rows, stream, sum, workspace);
  gemm.Backward(rows, {inner, inner_size}, weights.dense_h_to_4h.weight, {sum, hidden}, Output::kAccumulate);
  NormaliseBackward(rows, sum, weights.post_attention_layernorm, saved.post_attention_normalised,
                    saved.post_attention_deviation.data(), attended, workspace);

  float* context_gradient = sum;
  gemm.Backward(rows, {attended, hidden}, weights.dense.weight, {context_gradient, hidden}, Output::kOverwrite);
  LoadRows(rows, 3 * hidden, saved.query_key_value, query_key_value, workspace);
  float* query_key_value_gradient = layer == 0 ? nullptr : inner;
  attend_backward(query_key_value, context_gradient, saved.log_sums.data(), query_key_value_gradient);
  if (layer == 0) return;

  RotateRowsBack(rows, query_key_value_gradient, workspace);
  ScaleRows(rows, attended, sum, workspace);
  gemm.Backward(rows, {query_key_value_gradient, 3 * hidden}, weights.query_key_value.weight, {sum, hidden},
                Output::kAccumulate);
  NormaliseBackward(rows, sum, weights.input_layernorm, saved.input_normalised, saved.input_deviation.data(), stream,
                    workspace);
}

}  // namespace native_ddp
