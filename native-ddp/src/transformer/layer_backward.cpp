#include "transformer/layer_backward.h"

#include <cstring>

#include "transformer/row_kernels.h"

// T rows, Q of them with outputs, H hidden, I inner.
namespace native_ddp {
namespace {

void GeluRowsBackward(int rows, const SavedRows& saved, float* gradient, Workspace& workspace) {
  const int width = workspace.dimensions().inner;
  workspace.ForRows(rows, width, [&](std::int64_t row, int thread) {
    for (int begin = 0; begin < width; begin += kCached) {
      const int count = std::min(kCached, width - begin);
      GeluBackward(count, saved.Load(row, begin, count, workspace.Row(thread)), gradient + row * width + begin);
    }
  });
}

void NormaliseBackward(int rows, const float* dy, const LayerNormWeights& norm, const SavedRows& normalised,
                       const float* deviations, float* dx, Workspace& workspace) {
  const int hidden = workspace.dimensions().hidden;
  workspace.ForRows(rows, hidden, [&](std::int64_t row, int thread) {
    LayerNormBackward(hidden, dy + row * hidden, norm.weight, normalised.Load(row, 0, hidden, workspace.Row(thread)),
                      deviations[row], dx + row * hidden);
  });
}

void ScaleRows(int rows, const float* x, float* y, Workspace& workspace) {
  const int hidden = workspace.dimensions().hidden;
  workspace.ForRows(rows, hidden,
                    [&](std::int64_t row, int) { Scale(hidden, kResidualScale, x + row * hidden, y + row * hidden); });
}

void RotateRowsBack(const LayerRows& rows, float* query_key_value, Workspace& workspace) {
  const int hidden = workspace.dimensions().hidden;
  workspace.ForRows(rows.count, 3 * hidden, [&](std::int64_t row, int) {
    float* values = query_key_value + row * 3 * hidden;
    if (row < rows.outputs()) workspace.RotateHeadsBack(rows.query(row), values);
    workspace.RotateHeadsBack(row, values + hidden);
  });
}

/**
 * sum [T, H] = α · attended at the rows with outputs + d(query_key_value) · W. `scratch` has room for Q rows and may
 * hold neither of the others.
 */
void ProjectBackward(const LayerRows& rows, const float* attended, const WeightMatrix& weight, const float* gradient,
                     float* sum, float* scratch, Workspace& workspace) {
  const int hidden = weight.columns;
  const StridedInput all{gradient, 3 * hidden};
  Gemm& gemm = *workspace.gemm;
  if (rows.queries == nullptr) {
    ScaleRows(rows.count, attended, sum, workspace);
    gemm.Backward(rows.count, all, weight, {sum, hidden}, Output::kAccumulate);
    return;
  }
  gemm.Backward(rows.count, {gradient + hidden, 3 * hidden}, weight.Rows(hidden, 2 * hidden), {sum, hidden},
                Output::kOverwrite);
  ScaleRows(rows.outputs(), attended, scratch, workspace);
  gemm.Backward(rows.outputs(), all, weight.Rows(0, hidden), {scratch, hidden}, Output::kAccumulate);
  workspace.ForRows(rows.outputs(), hidden,
                    [&](std::int64_t i, int) { Add(hidden, scratch + i * hidden, sum + rows.query(i) * hidden); });
}

/** The rows side by side as FP32: attention reads them with a stride. */
void LoadRows(int rows, int width, const SavedRows& saved, float* to, Workspace& workspace) {
  workspace.ForRows(rows, width, [&](std::int64_t row, int) {
    float* place = to + row * width;
    const float* loaded = saved.Load(row, 0, width, place);
    if (loaded != place) std::memcpy(place, loaded, static_cast<std::size_t>(width) * sizeof(float));
  });
}

}  // namespace

void RunLayerBackward(int layer, const LayerRows& rows, const AttentionBackwardStep& attend_backward,
                      const SavedLayer& saved, Workspace& workspace) {
  const LayerWeights& weights = workspace.weights.layer(layer);
  const int hidden = workspace.dimensions().hidden;
  const int inner_size = workspace.dimensions().inner;
  const int outputs = rows.outputs();
  float* stream = workspace.hidden.data();
  float* sum = workspace.normalised.Ensure(Elements(rows.count, hidden));
  float* attended = workspace.attended.Ensure(Elements(rows.count, hidden));
  float* query_key_value = workspace.wide.Ensure(Elements(rows.count, 3 * hidden));
  float* inner = workspace.inner.Ensure(Elements(rows.count, std::max(inner_size, 3 * hidden)));
  Gemm& gemm = *workspace.gemm;

  gemm.Backward(outputs, {stream, hidden}, weights.dense_4h_to_h.weight, {inner, inner_size}, Output::kOverwrite);
  GeluRowsBackward(outputs, saved.gelu_input, inner, workspace);
  ScaleRows(outputs, stream, sum, workspace);
  gemm.Backward(outputs, {inner, inner_size}, weights.dense_h_to_4h.weight, {sum, hidden}, Output::kAccumulate);
  NormaliseBackward(outputs, sum, weights.post_attention_layernorm, saved.post_attention_normalised,
                    saved.post_attention_deviation.data(), attended, workspace);

  float* context_gradient = sum;
  gemm.Backward(outputs, {attended, hidden}, weights.dense.weight, {context_gradient, hidden}, Output::kOverwrite);
  LoadRows(rows.count, 3 * hidden, saved.query_key_value, query_key_value, workspace);
  float* query_key_value_gradient = layer == 0 ? nullptr : inner;
  attend_backward(query_key_value, context_gradient, saved.log_sums.data(), query_key_value_gradient);
  if (layer == 0) return;

  RotateRowsBack(rows, query_key_value_gradient, workspace);
  ProjectBackward(rows, attended, weights.query_key_value.weight, query_key_value_gradient, sum, query_key_value,
                  workspace);
  NormaliseBackward(rows.count, sum, weights.input_layernorm, saved.input_normalised, saved.input_deviation.data(),
                    stream, workspace);
}

}  // namespace native_ddp
