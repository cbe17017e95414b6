#include "transformer/layer_forward.h"

#include <algorithm>
#include <cstring>

#include "transformer/row_kernels.h"

// T rows, Q of them with outputs, H hidden, I inner.
namespace native_ddp {
namespace {

void Resize(SavedLayer& saved, const LayerRows& rows, const ModelWeights& weights) {
  const ModelDimensions& size = weights.dimensions();
  const ElementType type = weights.precision();
  saved.input_normalised.Resize(type, rows.count, size.hidden);
  saved.query_key_value.Resize(type, rows.count, 3 * size.hidden);
  saved.post_attention_normalised.Resize(type, rows.outputs(), size.hidden);
  saved.gelu_input.Resize(type, rows.outputs(), size.inner);
  saved.input_deviation.Ensure(Elements(rows.count, 1));
  saved.post_attention_deviation.Ensure(Elements(rows.outputs(), 1));
  saved.log_sums.Ensure(Elements(rows.outputs(), size.heads));
}

/** y = LN(x), residual = α · y + next_bias; keeps what the backward needs. y and residual are not x. */
void Normalise(int rows, const float* x, const LayerNormWeights& norm, const float* next_bias, float* y,
               float* residual, SavedRows* normalised, float* deviations, Workspace& workspace) {
  const int hidden = workspace.dimensions().hidden;
  const auto epsilon = static_cast<float>(workspace.dimensions().layer_norm_epsilon);
  workspace.ForRows(rows, hidden, [&](std::int64_t row, int thread) {
    const std::int64_t at = row * hidden;
    float* scratch = workspace.Row(thread);
    const float deviation = LayerNorm(hidden, epsilon, x + at, norm.weight, norm.bias, y + at, kResidualScale,
                                      next_bias, residual + at, scratch);
    if (normalised != nullptr) {
      normalised->Store(row, 0, hidden, scratch);
      deviations[row] = deviation;
    }
  });
}

/** Moves the rows with outputs to the front. */
void Compact(const LayerRows& rows, int width, float* x) {
  if (rows.queries == nullptr) return;
  for (int i = 0; i < rows.outputs(); ++i) std::copy_n(x + rows.query(i) * width, width, x + std::int64_t{i} * width);
}

/** query_key_value [T, 3H] of normalised [T, H], which is left with the rows that have outputs. */
void Project(const LayerRows& rows, const WeightMatrix& weight, float* normalised, float* query_key_value, Gemm& gemm) {
  const int hidden = weight.columns;
  const StridedInput x{normalised, hidden};
  if (rows.queries == nullptr) {
    gemm.Forward(rows.count, x, weight, {query_key_value, 3 * hidden}, Output::kOverwrite);
    return;
  }
  gemm.Forward(rows.count, x, weight.Rows(hidden, 2 * hidden), {query_key_value + hidden, 3 * hidden},
               Output::kOverwrite);
  Compact(rows, hidden, normalised);
  gemm.Forward(rows.outputs(), x, weight.Rows(0, hidden), {query_key_value, 3 * hidden}, Output::kOverwrite);
}

void AddBiasAndRotate(const LayerRows& rows, const float* bias, float* query_key_value, SavedRows* saved,
                      Workspace& workspace) {
  const int hidden = workspace.dimensions().hidden;
  workspace.ForRows(rows.count, 3 * hidden, [&](std::int64_t row, int) {
    float* values = query_key_value + row * 3 * hidden;
    for (int part = 0; part < 3; ++part, values += hidden) {
      if (part == 0 && row >= rows.outputs()) continue;  // no query is here
      Add(hidden, bias + part * hidden, values);
      if (part < 2) workspace.RotateHeads(part == 0 ? rows.query(row) : row, values);
      if (saved != nullptr) saved->Store(row, part * hidden, hidden, values);
    }
  });
}

void AddBiasAndGelu(int rows, const float* bias, float* inner, SavedRows* saved, Workspace& workspace) {
  const int width = workspace.dimensions().inner;
  workspace.ForRows(rows, width, [&](std::int64_t row, int) {
    for (int begin = 0; begin < width; begin += kCached) {
      const int count = std::min(kCached, width - begin);
      float* values = inner + row * width + begin;
      Add(count, bias + begin, values);
      if (saved != nullptr) saved->Store(row, begin, count, values);
      Gelu(count, values, values);
    }
  });
}

}  // namespace

void Embed(const std::int32_t* tokens, int rows, Workspace& workspace) {
  const WeightMatrix& embeddings = workspace.weights.word_embeddings();
  const int hidden = embeddings.columns;
  float* to = workspace.hidden.Ensure(Elements(rows, hidden));
  for (int row = 0; row < rows; ++row, to += hidden) {
    if (embeddings.type == ElementType::kFloat32) {
      std::memcpy(to, embeddings.Float32(tokens[row], 0), static_cast<std::size_t>(hidden) * sizeof(float));
    } else {
      FromBfloat16(hidden, embeddings.Bfloat16(tokens[row], 0), to);
    }
  }
}

void RunLayer(int layer, const LayerRows& rows, const AttentionStep& attend, SavedLayer* saved, Workspace& workspace) {
  const LayerWeights& weights = workspace.weights.layer(layer);
  const int hidden = workspace.dimensions().hidden;
  const int inner_size = workspace.dimensions().inner;
  const int outputs = rows.outputs();
  float* stream = workspace.hidden.data();
  float* normalised = workspace.normalised.Ensure(Elements(rows.count, hidden));
  float* attended = workspace.attended.Ensure(Elements(rows.count, hidden));
  float* query_key_value = workspace.wide.Ensure(Elements(rows.count, 3 * hidden));
  float* inner = workspace.inner.Ensure(Elements(rows.count, std::max(inner_size, 3 * hidden)));
  Gemm& gemm = *workspace.gemm;
  if (saved != nullptr) Resize(*saved, rows, workspace.weights);

  // attended = α · LN1(stream) + Dense(Attention(QKV(LN1(stream))))
  Normalise(rows.count, stream, weights.input_layernorm, weights.dense.bias, normalised, attended,
            saved == nullptr ? nullptr : &saved->input_normalised,
            saved == nullptr ? nullptr : saved->input_deviation.data(), workspace);
  Compact(rows, hidden, attended);
  Project(rows, weights.query_key_value.weight, normalised, query_key_value, gemm);
  AddBiasAndRotate(rows, weights.query_key_value.bias, query_key_value,
                   saved == nullptr ? nullptr : &saved->query_key_value, workspace);
  float* context = normalised;
  attend(query_key_value, context, saved == nullptr ? nullptr : saved->log_sums.data());
  gemm.Forward(outputs, {context, hidden}, weights.dense.weight, {attended, hidden}, Output::kAccumulate);

  // stream = α · LN2(attended) + MLP(LN2(attended))
  Normalise(outputs, attended, weights.post_attention_layernorm, weights.dense_4h_to_h.bias, normalised, stream,
            saved == nullptr ? nullptr : &saved->post_attention_normalised,
            saved == nullptr ? nullptr : saved->post_attention_deviation.data(), workspace);
  gemm.Forward(outputs, {normalised, hidden}, weights.dense_h_to_4h.weight, {inner, inner_size}, Output::kOverwrite);
  AddBiasAndGelu(outputs, weights.dense_h_to_4h.bias, inner, saved == nullptr ? nullptr : &saved->gelu_input,
                 workspace);
  gemm.Forward(outputs, {inner, inner_size}, weights.dense_4h_to_h.weight, {stream, hidden}, Output::kAccumulate);
}

}  // namespace native_ddp
