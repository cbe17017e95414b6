#pragma once

#include <vector>

#include "transformer/packed_batch.h"
#include "transformer/workspace.h"

namespace native_ddp {

/**
 * The final layer normalisation, the output layer (the word embedding) and the cross-entropy of the rows in
 * workspace.hidden, which are those with a label only. Logits exist for a chunk of rows at a time.
 */
class OutputLayer {
 public:
  explicit OutputLayer(Workspace& workspace) : workspace_(workspace) {}

  /** Of each sample: -Σ log p over its labelled rows; `labelled` are the packed rows [R] in workspace.hidden [R, H]. */
  std::vector<double> Losses(const PackedBatch& batch, const std::vector<int>& labelled);

  /** As Losses; workspace.hidden becomes the gradient of Σ weight · loss. */
  std::vector<double> LossesAndGradient(const PackedBatch& batch, const std::vector<int>& labelled);

  /** Logits [rows, V] of workspace.hidden [rows, H]; valid until the next call. */
  const float* Logits(int rows);

 private:
  std::vector<double> Run(const PackedBatch& batch, const std::vector<int>& labelled, bool with_gradient);
  /** Keeps what the backward needs if asked to. */
  void Normalise(int rows, bool keep);
  void NormaliseBackward(int rows);
  int ChunkRows() const;

  Workspace& workspace_;
  Buffer<float> normalised_;  // [R, H] after weight and bias; its gradient in the backward
  Buffer<float> centred_;     // [R, H] before weight and bias
  Buffer<float> deviations_;  // [R], inverse
  Buffer<float> logits_;      // [chunk, V]
};

}  // namespace native_ddp
