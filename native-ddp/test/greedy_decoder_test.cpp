#include "transformer/greedy_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "loaded_model.h"
#include "reference_model.h"

namespace native_ddp {
namespace {

const ModelDimensions kSize{2, 24, 3, 33, 40, 1e-5};
constexpr DecodingTokens kTokens{/*start=*/30, /*end=*/31, /*gmask=*/32, /*mask=*/33};

std::int32_t Largest(const std::vector<double>& logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/** Without a cache: the whole row anew for every token. */
std::vector<std::int32_t> Recompute(const ReferenceModel& reference, std::vector<std::int32_t> row, int context_length,
                                    int mask_position, const std::vector<double>& prefix, int most, std::int32_t end) {
  std::vector<std::int32_t> generated;
  while (static_cast<int>(generated.size()) < most) {
    const std::int32_t next = Largest(reference.LastLogits(row, context_length, mask_position, prefix));
    if (next == end) break;
    generated.push_back(next);
    row.push_back(next);
  }
  return generated;
}

TEST(GreedyDecoderTest, TheCacheGivesWhatRecomputingGives) {
  const TinyModel model = RandomModel(kSize, 21);
  const ReferenceModel reference(model);
  const std::vector<float> prefix = RandomFloats(2 * 2 * 5 * 24, -1.5F, 1.5F, 22);
  for (const int threads : {1, 2}) {
    LoadedModel loaded(model, ElementType::kFloat32, threads);
    for (const bool with_prefix : {false, true}) {
      const std::vector<float> used = with_prefix ? prefix : std::vector<float>();
      const std::vector<double> exact(used.begin(), used.end());
      const std::vector<std::int32_t> standard = {1, 2, 3, 4, 32, 30};
      EXPECT_EQ(loaded->Generate(standard, kTokens, PrefixOf(used, kSize), 20),
                Recompute(reference, standard, 5, 4, exact, 20, kTokens.end));
      const std::vector<std::int32_t> mask_first = {33, 9, 8, 30, 7, 6};  // [MASK] ahead, a response already begun
      EXPECT_EQ(loaded->Generate(mask_first, kTokens, PrefixOf(used, kSize), 20),
                Recompute(reference, mask_first, 3, 0, exact, 20, kTokens.end));
      const std::vector<std::int32_t> both = {33, 32, 30};  // [gMASK] counts, wherever [MASK] is
      EXPECT_EQ(loaded->Generate(both, kTokens, PrefixOf(used, kSize), 20),
                Recompute(reference, both, 2, 1, exact, 20, kTokens.end));
    }
  }
}

TEST(GreedyDecoderTest, ItStopsBeforeTheEndToken) {
  LoadedModel loaded(RandomModel(kSize, 21), ElementType::kFloat32);
  const std::vector<std::int32_t> prompt = {1, 2, 3, 4, 32, 30};
  const std::vector<std::int32_t> all = loaded->Generate(prompt, kTokens, {}, 10);
  ASSERT_GE(all.size(), 4U);
  DecodingTokens tokens = kTokens;
  tokens.end = all[3];
  const auto first = std::find(all.begin(), all.end(), tokens.end);
  EXPECT_EQ(loaded->Generate(prompt, tokens, {}, 10), std::vector<std::int32_t>(all.begin(), first));
  EXPECT_EQ(loaded->Generate(prompt, kTokens, {}, 2), std::vector<std::int32_t>(all.begin(), all.begin() + 2));
  EXPECT_TRUE(loaded->Generate(prompt, kTokens, {}, 0).empty());
}

TEST(GreedyDecoderTest, PromptsWithoutTheirSpecialTokensAreRefused) {
  LoadedModel loaded(RandomModel(kSize, 21), ElementType::kFloat32);
  const auto refusal = [&](const std::vector<std::int32_t>& prompt, int most) -> std::string {
    try {
      loaded->Generate(prompt, kTokens, {}, most);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal({1, 2, 32}, 5), "Invalid prompt: it lacks the start token sop 30");
  EXPECT_EQ(refusal({}, 5), "Invalid prompt: it lacks the start token sop 30");
  EXPECT_EQ(refusal({1, 2, 30}, 5), "Invalid prompt: it has neither [gMASK] 32 nor [MASK] 33");
  EXPECT_EQ(refusal({1, 40, 32, 30}, 5), "Invalid token 1 of the prompt: 40 (must be from 0 to 39)");
  EXPECT_EQ(refusal({1, 32, 30}, -1), "Invalid number of new tokens: -1 (must not be negative)");
}

TEST(GreedyDecoderTest, LogitsThatAreNotFiniteEndTheGeneration) {
  LoadedModel loaded(RandomModel(kSize, 21), ElementType::kFloat32);
  std::vector<float> prefix(2 * 2 * 1 * 24, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW(loaded->Generate({1, 32, 30}, kTokens, PrefixOf(prefix, kSize), 5), std::runtime_error);
}

}  // namespace
}  // namespace native_ddp
