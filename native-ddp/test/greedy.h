#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "transformer/frozen_transformer.h"

namespace native_ddp {

using Tokens = std::vector<std::int32_t>;

/** Completes prompts together, by the most probable token each time; sequences that meet the end token leave. */
inline std::vector<Tokens> CompleteGreedily(FrozenTransformer& transformer, const std::vector<Tokens>& prompts,
                                            const DecodingTokens& tokens, std::int32_t end, const Prefix& prefix,
                                            int most) {
  Decoder& decoder = transformer.decoder();
  const std::int64_t vocabulary = transformer.dimensions().vocabulary;
  std::vector<Tokens> completions(prompts.size());
  std::vector<int> running;
  for (int i = 0; i < static_cast<int>(prompts.size()); ++i) {
    decoder.Begin(i, prompts[static_cast<std::size_t>(i)], tokens, most);
    running.push_back(i);
  }
  for (int step = 0; step < most && !running.empty(); ++step) {
    const float* logits = decoder.Run(running, prefix);
    std::vector<int> left;
    for (const int index : running) {
      const auto token = static_cast<std::int32_t>(std::max_element(logits, logits + vocabulary) - logits);
      logits += vocabulary;
      if (token == end) continue;
      completions[static_cast<std::size_t>(index)].push_back(token);
      decoder.Append(index, token);
      left.push_back(index);
    }
    running = left;
  }
  return completions;
}

}  // namespace native_ddp
