#pragma once

#include <vector>

#include "transformer/attention.h"
#include "transformer/packed_batch.h"
#include "transformer/prefix_dropout.h"
#include "transformer/workspace.h"

namespace native_ddp {

/** Trained keys and values [L, 2, P, H] in front of every sample; P = 0 for none. */
struct Prefix {
  const float* data = nullptr;
  int length = 0;

  std::int64_t Offset(int layer, int key_or_value, int hidden) const {
    return (std::int64_t{2} * layer + key_or_value) * length * hidden;
  }
};

/** Attention of a packed batch: every sample sees itself and the prefix, through its own dropout mask. */
class PackedAttention {
 public:
  explicit PackedAttention(Workspace& workspace);

  /**
   * Must be called before each batch; batch and the prefix' memory must stay until its backward is done. last_queries:
   * the only rows with a query in the last layer.
   */
  void Begin(const PackedBatch& batch, const std::vector<int>& last_queries, const Prefix& prefix,
             const PrefixDropout& dropout);

  void Forward(int layer, const float* query_key_value, float* context, float* log_sums);

  /** Adds to gradient [L, 2, P, H] of the prefix before dropout; query_key_value_gradient may be null. */
  void Backward(int layer, const float* query_key_value, const float* context_gradient, const float* log_sums,
                float* query_key_value_gradient, float* gradient);

 private:
  /** The queries of a layer, of all samples one after another. */
  struct Queries {
    std::vector<int> begin;    // of each sample, and the end of the last
    std::vector<int> visible;  // rows of its sample that a query sees

    void Clear();
    void Add(const PackedSample& sample, int row);
    void EndSample() { begin.push_back(static_cast<int>(visible.size())); }
  };
  struct Scratch {
    AttentionScratch attention;
    Buffer<float> prefix;    // [2, P, D] after dropout
    Buffer<float> gradient;  // [2, P, D]
  };

  AttentionHead Head(int layer, int sample, int head, const float* query_key_value, Scratch& scratch) const;
  StridedInput DroppedPrefix(int layer, int key_or_value, int sample, int head, Scratch& scratch) const;

  const Queries& QueriesOf(int layer) const {
    return layer == workspace_.dimensions().layers - 1 ? last_queries_ : all_queries_;
  }

  Workspace& workspace_;
  const PackedBatch* batch_ = nullptr;
  Queries all_queries_;
  Queries last_queries_;  // of the last layer
  Prefix prefix_;
  PrefixMasks masks_;
  std::vector<Scratch> scratch_;  // one a thread
};

}  // namespace native_ddp
