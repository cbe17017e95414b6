#pragma once

#include <cstdint>
#include <vector>

#include "transformer/output_layer.h"
#include "transformer/packed_attention.h"
#include "transformer/workspace.h"

namespace native_ddp {

/** The special tokens that give a prompt its shape. */
struct DecodingTokens {
  std::int32_t start;  // sop: the response begins after it
  std::int32_t gmask;  // [gMASK], and if the prompt has none,
  std::int32_t mask;   // [MASK], is where the response stands for the rotary embedding
};

/**
 * Sequences that grow token by token, each with a cache of its keys and values. The caller numbers them from 0, chooses
 * the tokens from the logits, and says which sequences run together: those share the products with the weights, packed
 * without padding, whatever the lengths they have reached.
 */
class Decoder {
 public:
  Decoder(Workspace& workspace, OutputLayer& output_layer);

  /**
   * Sequence `index` becomes `prompt`, whose rows wait for the next Run, with room for `most` more tokens; what it was
   * before is forgotten. Throws std::invalid_argument if the prompt has no start or no mask token or leaves the
   * vocabulary; std::bad_alloc if there is no memory for the cache, and then the sequence has not begun.
   */
  void Begin(int index, const std::vector<std::int32_t>& prompt, const DecodingTokens& tokens, int most);

  /** Adds a token to a sequence, whose row waits for the next Run. */
  void Append(int index, std::int32_t token);

  /**
   * Runs the rows that wait in these sequences, all behind the same prefix. Returns the logits [n, V] of each one's
   * last row, in the order of `indices`; they are valid until the next call and may be anything but finite.
   */
  const float* Run(const std::vector<int>& indices, const Prefix& prefix);

 private:
  struct Sequence {
    std::vector<std::int32_t> waiting;  // tokens whose rows have not run
    int length = 0;                     // rows in the cache
    int context_length = 0;
    int mask_position = 0;
    std::int64_t capacity = 0;         // rows of a cache; 0: there is no such sequence
    std::vector<Buffer<float>> cache;  // one a layer: keys [capacity, H], then values
  };
  /** Some rows of a run: those that wait in a sequence. */
  struct Piece {
    Sequence* sequence;
    int begin;
    int count;
    std::vector<int> visible;  // rows of the sequence that each of them sees
  };

  Sequence& At(int index);
  void CheckToken(std::int32_t token, const char* what, std::size_t position) const;
  std::vector<Piece> Pieces(const std::vector<int>& indices);
  void Attend(int layer, bool last, const std::vector<Piece>& pieces, const Prefix& prefix,
              const float* query_key_value, float* context);

  Workspace& workspace_;
  OutputLayer& output_layer_;
  std::vector<Sequence> sequences_;
  std::vector<AttentionScratch> scratch_;  // one a thread
};

}  // namespace native_ddp
