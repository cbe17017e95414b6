#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "transformer/decoder.h"
#include "transformer/layer_forward.h"
#include "transformer/output_layer.h"
#include "transformer/packed_attention.h"
#include "transformer/packed_batch.h"
#include "transformer/saved_layer.h"
#include "transformer/workspace.h"

namespace native_ddp {

/**
 * A frozen ChatGLM: losses, their gradient with respect to a prefix of keys and values, decoding. One call at a
 * time; only progress() may be called meanwhile from other threads. Values that are not finite come out as they are.
 */
class FrozenTransformer {
 public:
  /**
   * threads counts the caller's own. Throws std::runtime_error if the weight file does not fit the dimensions or this
   * machine refuses the instructions.
   */
  FrozenTransformer(const WeightSource& source, const ModelDimensions& dimensions, int threads,
                    InstructionSet instructions, AmxHost& host = ThisHost());

  const ModelDimensions& dimensions() const { return workspace_.dimensions(); }

  /**
   * Of each sample: -Σ log p over its labelled rows, unweighted. Adds Σ weight · d(loss)/d(prefix before dropout) to
   * gradient [L, 2, P, H]. layer_finished(l) is called for l = L-1 … 0, as soon as layer l's slice is complete.
   */
  std::vector<double> ForwardBackward(const PackedBatch& batch, const Prefix& prefix, const PrefixDropout& dropout,
                                      float* gradient, const std::function<void(int layer)>& layer_finished);

  /** The losses alone, without dropout; the prefix may be empty. */
  std::vector<double> Losses(const PackedBatch& batch, const Prefix& prefix);

  /** Sequences that grow token by token. */
  Decoder& decoder() { return decoder_; }

  /** Grows with every product of matrices: stands still only if the work does. */
  std::uint64_t progress() const { return workspace_.progress.load(std::memory_order_relaxed); }

  /** What the products with weights have cost since this was opened. */
  const ProductTotals& products() const { return workspace_.gemm->totals(); }

  /** Where the weights are. */
  const WeightMemory& weights() const { return workspace_.weights.memory(); }

  /** What multiplies and how the weights are stored, as avx2/bf16. */
  std::string kernels() const;

 private:
  void Forward(const PackedBatch& batch, const Prefix& prefix, const PrefixDropout& dropout, bool save);
  /** Only labelled rows need an output of the last layer. */
  LayerRows RowsOf(int layer, const PackedBatch& batch) const {
    return {batch.rows(), layer == dimensions().layers - 1 ? &labelled_ : nullptr};
  }

  Workspace workspace_;
  PackedAttention attention_;
  OutputLayer output_layer_;
  Decoder decoder_;
  std::vector<SavedLayer> saved_;
  std::vector<int> labelled_;  // packed rows of the batch at hand
};

}  // namespace native_ddp
