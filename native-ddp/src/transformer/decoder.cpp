#include "transformer/decoder.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "message.h"
#include "transformer/layer_forward.h"
#include "transformer/rotary_rows.h"

namespace native_ddp {
namespace {

/** Index of the first `token`, or -1. */
int Find(const std::vector<std::int32_t>& prompt, std::int32_t token) {
  const auto found = std::find(prompt.begin(), prompt.end(), token);
  return found == prompt.end() ? -1 : static_cast<int>(found - prompt.begin());
}

}  // namespace

Decoder::Decoder(Workspace& workspace, OutputLayer& output_layer)
    : workspace_(workspace),
      output_layer_(output_layer),
      scratch_(static_cast<std::size_t>(workspace.pool.threads())) {}

void Decoder::CheckToken(std::int32_t token, const char* what, std::size_t position) const {
  const int vocabulary = workspace_.dimensions().vocabulary;
  if (token < 0 || token >= vocabulary) {
    throw std::invalid_argument(
        Message("Invalid token ", position, what, token, " (must be from 0 to ", vocabulary - 1, ")"));
  }
}

Decoder::Sequence& Decoder::At(int index) {
  if (index < 0 || index >= static_cast<int>(sequences_.size()) ||
      sequences_[static_cast<std::size_t>(index)].capacity == 0) {
    throw std::invalid_argument(Message("Invalid sequence: ", index, " (it has not begun)"));
  }
  return sequences_[static_cast<std::size_t>(index)];
}

void Decoder::Begin(int index, const std::vector<std::int32_t>& prompt, const DecodingTokens& tokens, int most) {
  for (std::size_t i = 0; i < prompt.size(); ++i) CheckToken(prompt[i], " of the prompt: ", i);
  if (index < 0) throw std::invalid_argument(Message("Invalid sequence: ", index, " (must not be negative)"));
  if (most < 0) throw std::invalid_argument(Message("Invalid number of new tokens: ", most, " (must not be negative)"));
  const int context_length = Find(prompt, tokens.start);
  if (context_length < 0) {
    throw std::invalid_argument(Message("Invalid prompt: it lacks the start token sop ", tokens.start));
  }
  const int mask_position = Find(prompt, tokens.gmask) >= 0 ? Find(prompt, tokens.gmask) : Find(prompt, tokens.mask);
  if (mask_position < 0) {
    throw std::invalid_argument(
        Message("Invalid prompt: it has neither [gMASK] ", tokens.gmask, " nor [MASK] ", tokens.mask));
  }
  const auto place = static_cast<std::size_t>(index);
  if (place >= sequences_.size()) sequences_.resize(place + 1);
  Sequence& sequence = sequences_[place];
  sequence.capacity = 0;  // there is none until all its caches are there
  const std::int64_t capacity = static_cast<std::int64_t>(prompt.size()) + most;
  sequence.waiting = prompt;
  sequence.length = 0;
  sequence.context_length = context_length;
  sequence.mask_position = mask_position;
  sequence.cache.resize(static_cast<std::size_t>(workspace_.dimensions().layers));
  for (Buffer<float>& layer : sequence.cache) {
    layer.Ensure(static_cast<std::size_t>(2 * capacity * workspace_.dimensions().hidden));
  }
  sequence.capacity = capacity;
}

void Decoder::Append(int index, std::int32_t token) {
  Sequence& sequence = At(index);
  const std::size_t length = static_cast<std::size_t>(sequence.length) + sequence.waiting.size();
  CheckToken(token, " of the sequence: ", length);
  if (static_cast<std::int64_t>(length) == sequence.capacity) {
    throw std::invalid_argument(
        Message("Invalid sequence: ", index, " (its room for ", sequence.capacity, " tokens is used up)"));
  }
  sequence.waiting.push_back(token);
}

std::vector<Decoder::Piece> Decoder::Pieces(const std::vector<int>& indices) {
  if (indices.empty()) throw std::invalid_argument("Invalid run: it has no sequences (at least one is needed)");
  std::vector<Piece> pieces;
  int begin = 0;
  for (const int index : indices) {
    if (std::count(indices.begin(), indices.end(), index) > 1) {
      throw std::invalid_argument(Message("Invalid sequence: ", index, " (it may run only once at a time)"));
    }
    Sequence& sequence = At(index);
    if (sequence.waiting.empty()) {
      throw std::invalid_argument(Message("Invalid sequence: ", index, " (none of its tokens waits to be run)"));
    }
    Piece piece{&sequence, begin, static_cast<int>(sequence.waiting.size()), {}};
    for (int i = 0; i < piece.count; ++i) {
      piece.visible.push_back(VisibleRows(sequence.length + i, sequence.context_length));
    }
    begin += piece.count;
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

const float* Decoder::Run(const std::vector<int>& indices, const Prefix& prefix) {
  const std::vector<Piece> pieces = Pieces(indices);
  std::vector<std::int32_t> tokens;
  std::vector<int> last_rows;
  int longest = 0;
  for (const Piece& piece : pieces) {
    tokens.insert(tokens.end(), piece.sequence->waiting.begin(), piece.sequence->waiting.end());
    last_rows.push_back(piece.begin + piece.count - 1);
    longest = std::max(longest, piece.sequence->length + piece.count);
  }
  const auto count = static_cast<int>(tokens.size());
  Embed(tokens.data(), count, workspace_);
  RotaryRows rows(count, longest + 1, workspace_);
  for (const Piece& piece : pieces) {
    const Sequence& sequence = *piece.sequence;
    for (int i = 0; i < piece.count; ++i) {
      rows.Set(piece.begin + i, PositionOf(sequence.length + i, sequence.context_length, sequence.mask_position));
    }
  }
  for (int layer = 0; layer < workspace_.dimensions().layers; ++layer) {
    const bool last = layer == workspace_.dimensions().layers - 1;
    const AttentionStep attend = [&](const float* query_key_value, float* context, float*) {
      Attend(layer, last, pieces, prefix, query_key_value, context);
    };
    RunLayer(layer, {count, last ? &last_rows : nullptr}, attend, nullptr, workspace_);
  }
  for (const Piece& piece : pieces) {
    piece.sequence->length += piece.count;
    piece.sequence->waiting.clear();
  }
  return output_layer_.Logits(static_cast<int>(last_rows.size()));
}

void Decoder::Attend(int layer, bool last, const std::vector<Piece>& pieces, const Prefix& prefix,
                     const float* query_key_value, float* context) {
  const ModelDimensions& size = workspace_.dimensions();
  const std::int64_t hidden = size.hidden;
  const int head_size = size.head_size();
  const auto count = static_cast<std::int64_t>(pieces.size()) * size.heads;
  workspace_.pool.ForEach(count, 1, [&](std::int64_t begin, std::int64_t end, int thread) {
    for (std::int64_t item = begin; item < end; ++item) {
      const Piece& piece = pieces[static_cast<std::size_t>(item / size.heads)];
      const Sequence& sequence = *piece.sequence;
      const std::int64_t column = item % size.heads * head_size;
      float* keys = piece.sequence->cache[static_cast<std::size_t>(layer)].data() + column;
      float* values = keys + sequence.capacity * hidden;
      const float* key = query_key_value + 3 * hidden * piece.begin + hidden + column;
      for (int i = 0; i < piece.count; ++i, key += 3 * hidden) {
        const std::int64_t to = (sequence.length + i) * hidden;
        std::copy_n(key, head_size, keys + to);
        std::copy_n(key + hidden, head_size, values + to);
      }
      // of the last layer, a piece's last row alone goes on
      const std::int64_t first = last ? item / size.heads : piece.begin;
      const int queries = last ? 1 : piece.count;
      const auto prefix_head = [&](int key_or_value) {
        return prefix.length == 0 ? nullptr : prefix.data + prefix.Offset(layer, key_or_value, size.hidden) + column;
      };
      native_ddp::Attend({head_size,
                          queries,
                          piece.visible.data() + piece.count - queries,
                          {query_key_value + 3 * hidden * first + column, 3 * hidden},
                          sequence.length + piece.count,
                          {keys, hidden},
                          {values, hidden},
                          prefix.length,
                          {prefix_head(0), hidden},
                          {prefix_head(1), hidden}},
                         {context + hidden * first + column, hidden}, nullptr, 0,
                         scratch_[static_cast<std::size_t>(thread)]);
      workspace_.progress.fetch_add(1, std::memory_order_relaxed);
    }
  });
}

}  // namespace native_ddp
