#pragma once

#include <vector>

#include "tiny_model.h"
#include "transformer/packed_batch.h"

namespace native_ddp {

/** The model as written down in the paper and the official code: FP64, plain loops, no regard for speed. */
class ReferenceModel {
 public:
  explicit ReferenceModel(TinyModel model);

  /** Of every sample: -Σ log p over its labelled rows. prefix: [L, 2, P, H], or empty. */
  std::vector<double> Losses(const PackedBatch& batch, const std::vector<double>& prefix) const;

  /** Logits [V] of the last row. */
  std::vector<double> LastLogits(const std::vector<std::int32_t>& tokens, int context_length, int mask_position,
                                 const std::vector<double>& prefix) const;

 private:
  using Rows = std::vector<std::vector<double>>;

  Rows Logits(const std::vector<std::int32_t>& tokens, int context_length, int mask_position,
              const std::vector<double>& prefix) const;
  Rows Linear(const Rows& x, const std::string& name) const;
  Rows LayerNorm(const Rows& x, const std::string& name) const;
  Rows Attention(const Rows& query_key_value, int layer, int context_length, int mask_position,
                 const std::vector<double>& prefix) const;

  TinyModel model_;
};

}  // namespace native_ddp
