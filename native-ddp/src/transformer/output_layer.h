#pragma once

#include <vector>

#include "transformer/packed_batch.h"
#include "transformer/workspace.h"

namespace native_ddp {

/**
 * The final layer normalisation, the output layer (the word embedding) and the cross-entropy, at labelled rows only.
 * Logits exist for a chunk of rows at a time.
 */
class OutputLayer {
 public:
  explicit OutputLayer(Workspace& workspace) : workspace_(workspace) {}

  /** Of each sample: -Σ log p over its labelled rows, from workspace.hidden. */
  std::vector<double> Losses(const PackedBatch& batch);

  /** As Losses; workspace.hidden becomes the gradient of Σ weight · loss. */
  std::vector<double> LossesAndGradient(const PackedBatch& batch);

  /** Logits [n, V] of these rows of workspace.hidden; valid until the next call. */
  const float* Logits(const std::vector<int>& rows);

 private:
  std::vector<double> Run(const PackedBatch& batch, bool with_gradient);
  /** Normalises rows of workspace.hidden to normalised_[i]; keeps what the backward needs if asked to. */
  void Normalise(const std::vector<int>& rows, bool keep);
  void NormaliseBackward(const std::vector<int>& rows, int all_rows);
  int ChunkRows() const;

  Workspace& workspace_;
  Buffer<float> normalised_;  // [R, H] after weight and bias; its gradient in the backward
  Buffer<float> centred_;     // [R, H] before weight and bias
  Buffer<float> deviations_;  // [R], inverse
  Buffer<float> logits_;      // [chunk, V]
};

}  // namespace native_ddp
