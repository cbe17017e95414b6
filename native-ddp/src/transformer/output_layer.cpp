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

void OutputLayer::Normalise(int rows, bool keep) {
  const int hidden = workspace_.dimensions().hidden;
  const auto epsilon = static_cast<float>(workspace_.dimensions().layer_norm_epsilon);
  const LayerNormWeights& norm = workspace_.weights.final_layernorm();
  const std::size_t elements = Elements(rows, hidden);
  float* normalised = normalised_.Ensure(elements);
  float* centred = keep ? centred_.Ensure(elements) : nullptr;
  float* deviations = deviations_.Ensure(static_cast<std::size_t>(rows));
  const float* stream = workspace_.hidden.data();
  workspace_.ForRows(rows, hidden, [&](std::int64_t row, int thread) {
    deviations[row] = LayerNorm(hidden, epsilon, stream + row * hidden, norm.weight, norm.bias,
                                normalised + row * hidden, keep ? centred + row * hidden : workspace_.Row(thread));
  });
}

void OutputLayer::NormaliseBackward(int rows) {
  const int hidden = workspace_.dimensions().hidden;
  const LayerNormWeights& norm = workspace_.weights.final_layernorm();
  float* stream = workspace_.hidden.data();
  workspace_.ForRows(rows, hidden, [&](std::int64_t row, int) {
    LayerNormBackward(hidden, normalised_.data() + row * hidden, norm.weight, centred_.data() + row * hidden,
                      deviations_.data()[row], stream + row * hidden);
  });
}

std::vector<double> OutputLayer::Losses(const PackedBatch& batch, const std::vector<int>& labelled) {
  return Run(batch, labelled, false);
}

std::vector<double> OutputLayer::LossesAndGradient(const PackedBatch& batch, const std::vector<int>& labelled) {
  return Run(batch, labelled, true);
}

std::vector<double> OutputLayer::Run(const PackedBatch& batch, const std::vector<int>& labelled, bool with_gradient) {
  const int hidden = workspace_.dimensions().hidden;
  const int vocabulary = workspace_.dimensions().vocabulary;
  std::vector<float> weights(labelled.size());
  std::vector<std::size_t> samples(labelled.size());
  for (std::size_t i = 0, sample = 0; i < labelled.size(); ++i) {
    while (labelled[i] >= batch.samples[sample].begin + batch.samples[sample].length) ++sample;
    samples[i] = sample;
    weights[i] = batch.samples[sample].weight;
  }
  const int count = static_cast<int>(labelled.size());
  Normalise(count, with_gradient);
  std::vector<double> row_losses(labelled.size());
  const int chunk = std::min(ChunkRows(), count);
  float* logits = logits_.Ensure(Elements(chunk, vocabulary));
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
  if (with_gradient) NormaliseBackward(count);
  std::vector<double> losses(batch.samples.size(), 0.0);
  for (std::size_t i = 0; i < labelled.size(); ++i) losses[samples[i]] += row_losses[i];
  return losses;
}

const float* OutputLayer::Logits(int rows) {
  const int hidden = workspace_.dimensions().hidden;
  const int vocabulary = workspace_.dimensions().vocabulary;
  Normalise(rows, false);
  float* logits = logits_.Ensure(Elements(rows, vocabulary));
  workspace_.gemm->Forward(rows, {normalised_.data(), hidden}, workspace_.weights.word_embeddings(),
                           {logits, vocabulary}, Output::kOverwrite);
  return logits;
}

}  // namespace native_ddp
