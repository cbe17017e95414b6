#include "transformer/greedy_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

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

/** Throws std::runtime_error unless the largest logit is finite. */
std::int32_t MostProbable(const float* logits, int vocabulary, std::size_t generated) {
  const float* largest = logits;
  for (const float* logit = logits; logit < logits + vocabulary; ++logit) {
    if (!std::isfinite(*logit)) {
      throw std::runtime_error(Message("Cannot generate: the logit of token ", logit - logits, " is ", *logit,
                                       " after ", generated, " new tokens"));
    }
    if (*logit > *largest) largest = logit;
  }
  return static_cast<std::int32_t>(largest - logits);
}

}  // namespace

GreedyDecoder::GreedyDecoder(Workspace& workspace, OutputLayer& output_layer)
    : workspace_(workspace),
      output_layer_(output_layer),
      cache_(static_cast<std::size_t>(workspace.dimensions().layers)),
      scratch_(static_cast<std::size_t>(workspace.pool.threads())) {}

std::vector<std::int32_t> GreedyDecoder::Generate(const std::vector<std::int32_t>& prompt, const DecodingTokens& tokens,
                                                  const Prefix& prefix, int most) {
  const int vocabulary = workspace_.dimensions().vocabulary;
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    if (prompt[i] < 0 || prompt[i] >= vocabulary) {
      throw std::invalid_argument(
          Message("Invalid token ", i, " of the prompt: ", prompt[i], " (must be from 0 to ", vocabulary - 1, ")"));
    }
  }
  if (most < 0) throw std::invalid_argument(Message("Invalid number of new tokens: ", most, " (must not be negative)"));
  context_length_ = Find(prompt, tokens.start);
  if (context_length_ < 0) {
    throw std::invalid_argument(Message("Invalid prompt: it lacks the start token sop ", tokens.start));
  }
  mask_position_ = Find(prompt, tokens.gmask) >= 0 ? Find(prompt, tokens.gmask) : Find(prompt, tokens.mask);
  if (mask_position_ < 0) {
    throw std::invalid_argument(
        Message("Invalid prompt: it has neither [gMASK] ", tokens.gmask, " nor [MASK] ", tokens.mask));
  }
  std::vector<std::int32_t> generated;
  if (most == 0) return generated;
  prefix_ = prefix;
  const int prompt_length = static_cast<int>(prompt.size());
  capacity_ = std::int64_t{prompt_length} + most;
  for (Buffer<float>& layer : cache_) {
    layer.Ensure(static_cast<std::size_t>(2 * capacity_ * workspace_.dimensions().hidden));
  }
  Advance(prompt.data(), 0, prompt_length);
  int last_row = prompt_length - 1;  // among the rows of the latest Advance
  for (;;) {
    const std::int32_t token = MostProbable(output_layer_.Logits(last_row), vocabulary, generated.size());
    if (token == tokens.end) return generated;
    generated.push_back(token);
    if (static_cast<int>(generated.size()) == most) return generated;
    Advance(&generated.back(), prompt_length + static_cast<int>(generated.size()) - 1, 1);
    last_row = 0;
  }
}

void GreedyDecoder::Advance(const std::int32_t* tokens, int first, int count) {
  Embed(tokens, count, workspace_);
  RotaryRows rows(count, first + count + 1, workspace_);
  for (int i = 0; i < count; ++i) rows.Set(i, PositionOf(first + i, context_length_, mask_position_));
  for (int layer = 0; layer < workspace_.dimensions().layers; ++layer) {
    const AttentionStep attend = [&](const float* query_key_value, float* context, float*) {
      Attend(layer, first, count, query_key_value, context);
    };
    RunLayer(layer, count, attend, nullptr, workspace_);
  }
}

void GreedyDecoder::Attend(int layer, int first, int count, const float* query_key_value, float* context) {
  const ModelDimensions& size = workspace_.dimensions();
  const std::int64_t hidden = size.hidden;
  float* keys = cache_[static_cast<std::size_t>(layer)].data();
  float* values = keys + capacity_ * hidden;
  for (int i = 0; i < count; ++i) {
    const float* row = query_key_value + 3 * hidden * i;
    std::copy_n(row + hidden, hidden, keys + (first + i) * hidden);
    std::copy_n(row + 2 * hidden, hidden, values + (first + i) * hidden);
  }
  workspace_.pool.ForEach(size.heads, 1, [&](std::int64_t begin, std::int64_t end, int thread) {
    for (std::int64_t head = begin; head < end; ++head) {
      const std::int64_t column = head * size.head_size();
      const auto prefix = [&](int key_or_value) {
        return prefix_.length == 0 ? nullptr : prefix_.data + prefix_.Offset(layer, key_or_value, size.hidden) + column;
      };
      native_ddp::Attend({size.head_size(),
                          count,
                          first,
                          context_length_,
                          {query_key_value + column, 3 * hidden},
                          {keys + column, hidden},
                          {values + column, hidden},
                          prefix_.length,
                          {prefix(0), hidden},
                          {prefix(1), hidden}},
                         {context + column, hidden}, nullptr, 0, scratch_[static_cast<std::size_t>(thread)]);
    }
  });
}

}  // namespace native_ddp
