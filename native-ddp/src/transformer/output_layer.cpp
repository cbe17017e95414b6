#include "transformer/output_layer.h"

#include <algorithm>
#include <cstddef>

#include "transformer/row_kernels.h"

// H hidden, V vocabulary, R labelled rows.
namespace native_ddp {
namespace {

constexpr int kChunkElements = 32 << 20;  // 128 MiB of logits

}  // namespace

int OutputLayer::ChunkRows() const { return std::clamp(kChunkElements / workspace_.dimensions().vocabulary, 16, 1024); }

void OutputLayer::Normalise(const std::vector<int>& rows, bool keep) {
  const int hidden = workspace_.dimensions().hidden;
  const auto epsilon = static_cast<float>(workspace_.dimensions().layer_norm_epsilon);
  const LayerNormWeights& norm = workspace_.weights.final_layernorm();
  const std::size_t elements = rows.size() * static_cast<std::size_t>(hidden);
  float* normalised = normalised_.Ensure(elements);
  float* centred = keep ? centred_.Ensure(elements) : nullptr;
  float* deviations = deviations_.Ensure(rows.size());
  const float* stream = workspace_.hidden.data();
  workspace_.ForRows(static_cast<int>(rows.size()), hidden, [&](std::int64_t i, int thread) {
    const std::int64_t row = rows[static_cast<std::size_t>(i)];
    deviations[i] = LayerNorm(hidden, epsilon, stream + row * hidden, norm.weight, norm.bias, normalised + i * hidden,
                              keep ? centred + i * hidden : workspace_.Row(thread));
  });
}

void OutputLayer::NormaliseBackward(const std::vector<int>& rows, int all_rows) {
  const int hidden = workspace_.dimensions().hidden;
  const LayerNormWeights& norm = workspace_.weights.final_layernorm();
  float* stream = workspace_.hidden.data();
  std::fill_n(stream, std::int64_t{all_rows} * hidden, 0.0F);
  workspace_.ForRows(static_cast<int>(rows.size()), hidden, [&](std::int64_t i, int) {
    const std::int64_t row = rows[static_cast<std::size_t>(i)];
    LayerNormBackward(hidden, normalised_.data() + i * hidden, norm.weight, centred_.data() + i * hidden,
                      deviations_.data()[i], stream + row * hidden);
  });
}

std::vector<double> OutputLayer::Losses(const PackedBatch& batch) { return Run(batch, false); }

std::vector<double> OutputLayer::LossesAndGradient(const PackedBatch& batch) { return Run(batch, true); }

std::vector<double> OutputLayer::Run(const PackedBatch& batch, bool with_gradient) {
  const std::vector<int> labelled = batch.LabelledRows();
  const int hidden = workspace_.dimensions().hidden;
  const int vocabulary = workspace_.dimensions().vocabulary;
  std::vector<float> weights(labelled.size());
  std::vector<std::size_t> samples(labelled.size());
  for (std::size_t i = 0, sample = 0; i < labelled.size(); ++i) {
    while (labelled[i] >= batch.samples[sample].begin + batch.samples[sample].length) ++sample;
    samples[i] = sample;
    weights[i] = batch.samples[sample].weight;
  }
  Normalise(labelled, with_gradient);
  std::vector<double> row_losses(labelled.size());
  const int count = static_cast<int>(labelled.size());
  const int chunk = std::min(ChunkRows(), count);
  float* logits = logits_.Ensure(static_cast<std::size_t>(chunk) * static_cast<std::size_t>(vocabulary));
  for (int begin = 0; begin < count; begin += chunk) {
    const int rows = std::min(chunk, count - begin);
    float* normalised = normalised_.data() + std::int64_t{begin} * hidden;
    workspace_.gemm->Forward(rows, {normalised, hidden}, workspace_.weights.word_embeddings(), {logits, vocabulary},
                             Output::kOverwrite);
    workspace_.ForRows(rows, vocabulary, [&](std::int64_t i, int) {
      const auto at = static_cast<std::size_t>(begin + i);
      const std::int32_t target = batch.targets[static_cast<std::size_t>(labelled[at])];
      float* row = logits + i * vocabulary;
      row_losses[at] = with_gradient ? CrossEntropyBackward(vocabulary, row, target, weights[at])
                                     : CrossEntropy(vocabulary, row, target);
    });
    if (with_gradient) {
      workspace_.gemm->Backward(rows, {logits, vocabulary}, workspace_.weights.word_embeddings(), {normalised, hidden},
                                Output::kOverwrite);
    }
  }
  if (with_gradient) NormaliseBackward(labelled, batch.rows());
  std::vector<double> losses(batch.samples.size(), 0.0);
  for (std::size_t i = 0; i < labelled.size(); ++i) losses[samples[i]] += row_losses[i];
  return losses;
}

const float* OutputLayer::Logits(const std::vector<int>& rows) {
  const int hidden = workspace_.dimensions().hidden;
  const int vocabulary = workspace_.dimensions().vocabulary;
  Normalise(rows, false);
  float* logits = logits_.Ensure(rows.size() * static_cast<std::size_t>(vocabulary));
  workspace_.gemm->Forward(static_cast<int>(rows.size()), {normalised_.data(), hidden},
                           workspace_.weights.word_embeddings(), {logits, vocabulary}, Output::kOverwrite);
  return logits;
}

}  // namespace native_ddp
