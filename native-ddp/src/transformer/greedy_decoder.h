#pragma once

#include <cstdint>
#include <vector>

#include "transformer/output_layer.h"
#include "transformer/packed_attention.h"
#include "transformer/workspace.h"

namespace native_ddp {

/** The special tokens that decoding needs to know. */
struct DecodingTokens {
  std::int32_t start;  // sop: the response begins after it
  std::int32_t end;    // eop: it ends here
  std::int32_t gmask;  // [gMASK], and if the prompt has none,
  std::int32_t mask;   // [MASK], is where the response stands for the rotary embedding
};

/** Completes one prompt at a time, always by the most probable token (of equals, the lowest). */
class GreedyDecoder {
 public:
  GreedyDecoder(Workspace& workspace, OutputLayer& output_layer);

  /**
   * Returns at most `most` new tokens, without the end token. Throws std::invalid_argument if the prompt has no start
   * or no mask token or leaves the vocabulary, std::runtime_error if the logits are not finite.
   */
  std::vector<std::int32_t> Generate(const std::vector<std::int32_t>& prompt, const DecodingTokens& tokens,
                                     const Prefix& prefix, int most);

 private:
  /** Runs rows [first, first + count) through all layers, adding their keys and values to the cache. */
  void Advance(const std::int32_t* tokens, int first, int count);
  void Attend(int layer, int first, int count, const float* query_key_value, float* context);

  Workspace& workspace_;
  OutputLayer& output_layer_;
  Prefix prefix_;
  int context_length_ = 0;
  int mask_position_ = 0;
  std::int64_t capacity_ = 0;              // rows of a cache
  std::vector<Buffer<float>> cache_;       // one a layer: keys [capacity, H], then values
  std::vector<AttentionScratch> scratch_;  // one a thread
};

}  // namespace native_ddp
