#include "transformer/decoder.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include "greedy.h"
#include "loaded_model.h"
#include "reference_model.h"

namespace native_ddp {
namespace {

const ModelDimensions kSize{2, 24, 3, 33, 40, 1e-5};
constexpr DecodingTokens kTokens{/*start=*/30, /*gmask=*/32, /*mask=*/33};
constexpr std::int32_t kEnd = 31;

/** A prompt, its context length and the place of its mask. */
struct Prompt {
  Tokens tokens;
  int context_length;
  int mask_position;
};

std::vector<Prompt> Prompts() {
  return {{{1, 2, 3, 4, 32, 30}, 5, 4},
          {{33, 9, 8, 30, 7, 6}, 3, 0},  // [MASK] ahead, a response already begun
          {{33, 32, 30}, 2, 1},          // [gMASK] counts, wherever [MASK] is
          {{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 32, 30}, 12, 11}};
}

/** Without a cache: the whole row anew for every token. */
Tokens Recompute(const ReferenceModel& reference, const Prompt& prompt, const std::vector<double>& prefix, int most,
                 std::int32_t end) {
  Tokens row = prompt.tokens;
  Tokens generated;
  while (static_cast<int>(generated.size()) < most) {
    const std::vector<double> logits = reference.LastLogits(row, prompt.context_length, prompt.mask_position, prefix);
    const auto next = static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (next == end) break;
    generated.push_back(next);
    row.push_back(next);
  }
  return generated;
}

TEST(DecoderTest, TheCacheGivesWhatRecomputingGivesAloneAndTogether) {
  const TinyModel model = RandomModel(kSize, 21);
  const ReferenceModel reference(model);
  const std::vector<float> random = RandomFloats(2 * 2 * 5 * 24, -1.5F, 1.5F, 22);
  for (const int threads : {1, 2}) {
    LoadedModel loaded(model, ElementType::kFloat32, threads);
    for (const std::vector<float>& prefix : {std::vector<float>(), random}) {
      const std::vector<double> exact(prefix.begin(), prefix.end());
      std::vector<Tokens> prompts;
      std::vector<Tokens> expected;
      for (const Prompt& prompt : Prompts()) {
        prompts.push_back(prompt.tokens);
        expected.push_back(Recompute(reference, prompt, exact, 20, kEnd));
        EXPECT_EQ(CompleteGreedily(*loaded, {prompt.tokens}, kTokens, kEnd, PrefixOf(prefix, kSize), 20)[0],
                  expected.back());
      }
      EXPECT_EQ(CompleteGreedily(*loaded, prompts, kTokens, kEnd, PrefixOf(prefix, kSize), 20), expected);
    }
  }
}

TEST(DecoderTest, SequencesLeaveAndEnterWhileOthersGoOn) {
  const TinyModel model = RandomModel(kSize, 21);
  const ReferenceModel reference(model);
  LoadedModel loaded(model, ElementType::kFloat32, 2);
  Decoder& decoder = loaded->decoder();
  const auto expect_last = [&](const float* logits, const Tokens& row, int context_length, int mask_position) {
    const std::vector<double> expected = reference.LastLogits(row, context_length, mask_position, {});
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-4) << "token " << i;
  };
  decoder.Begin(0, {1, 2, 32, 30}, kTokens, 3);
  decoder.Begin(1, {3, 32, 30}, kTokens, 3);
  const float* logits = decoder.Run({1, 0}, {});
  expect_last(logits, {3, 32, 30}, 2, 1);
  expect_last(logits + kSize.vocabulary, {1, 2, 32, 30}, 3, 2);
  decoder.Append(0, 9);
  decoder.Begin(1, {4, 5, 6, 7, 8, 32, 30}, kTokens, 0);  // sequence 1 has ended, another takes its place
  logits = decoder.Run({0, 1}, {});
  expect_last(logits, {1, 2, 32, 30, 9}, 3, 2);
  expect_last(logits + kSize.vocabulary, {4, 5, 6, 7, 8, 32, 30}, 6, 5);
  decoder.Append(0, 10);
  decoder.Append(0, 11);
  expect_last(decoder.Run({0}, {}), {1, 2, 32, 30, 9, 10, 11}, 3, 2);
}

TEST(DecoderTest, TheBitsOfASequenceDoNotDependOnThoseThatRunBesideIt) {
  // As far as all their rows are few; attention is of each sequence alone.
  const TinyModel model = RandomModel({2, 64, 4, 96, 70, 1e-5}, 23);
  const std::vector<float> prefix = RandomFloats(2 * 2 * 5 * 64, -1.5F, 1.5F, 24);
  for (const ElementType precision : {ElementType::kBfloat16, ElementType::kFloat32}) {
    LoadedModel loaded(model, precision, 2);
    Decoder& decoder = loaded->decoder();
    const auto logits_of_first = [&](int others) {
      std::vector<float> all;
      std::vector<int> running;
      for (int index = 0; index <= others; ++index) running.push_back(index);
      // Prompts of two tokens, so that all of them together are few rows too.
      for (const int index : running) decoder.Begin(index, {32, 30}, kTokens, 4);
      for (int step = 0; step < 4; ++step) {
        const float* logits = decoder.Run(running, PrefixOf(prefix, loaded->dimensions()));
        all.insert(all.end(), logits, logits + loaded->dimensions().vocabulary);
        for (const int index : running) decoder.Append(index, (7 * step + 11 * index) % 70);
      }
      return all;
    };
    const std::vector<float> alone = logits_of_first(0);
    for (const int others : {1, 2, 4, 7}) EXPECT_EQ(logits_of_first(others), alone) << others;
  }
}

/** As long as it lives, the process gets no more memory than this, whatever it has. */
class AddressLimit {
 public:
  explicit AddressLimit(rlim_t bytes) {
    getrlimit(RLIMIT_AS, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    setrlimit(RLIMIT_AS, &limited);
  }
  ~AddressLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST(DecoderTest, ASequenceWithoutMemoryForItsCacheHasNotBegun) {
  LoadedModel loaded(RandomModel(kSize, 21), ElementType::kFloat32);
  Decoder& decoder = loaded->decoder();
  decoder.Begin(0, {1, 32, 30}, kTokens, 1);
  decoder.Run({0}, {});
  {
    const AddressLimit limit(rlim_t{256} << 30);
    // keys and values of a layer would take 2 · 2^31 · 24 · 4 bytes, 384 GiB
    EXPECT_THROW(decoder.Begin(0, {1, 32, 30}, kTokens, std::numeric_limits<int>::max()), std::bad_alloc);
  }
  EXPECT_THROW(decoder.Run({0}, {}), std::invalid_argument);
  EXPECT_THROW(decoder.Append(0, 1), std::invalid_argument);
  decoder.Begin(0, {1, 32, 30}, kTokens, 1);
  EXPECT_NE(decoder.Run({0}, {}), nullptr);
}

TEST(DecoderTest, PromptsWithoutTheirSpecialTokensAreRefused) {
  LoadedModel loaded(RandomModel(kSize, 21), ElementType::kFloat32);
  Decoder& decoder = loaded->decoder();
  const auto refusal = [&](const std::function<void()>& call) -> std::string {
    try {
      call();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto begin = [&](const Tokens& prompt, int most) {
    return refusal([&] { decoder.Begin(0, prompt, kTokens, most); });
  };
  EXPECT_EQ(begin({1, 2, 32}, 5), "Invalid prompt: it lacks the start token sop 30");
  EXPECT_EQ(begin({}, 5), "Invalid prompt: it lacks the start token sop 30");
  EXPECT_EQ(begin({1, 2, 30}, 5), "Invalid prompt: it has neither [gMASK] 32 nor [MASK] 33");
  EXPECT_EQ(begin({1, 40, 32, 30}, 5), "Invalid token 1 of the prompt: 40 (must be from 0 to 39)");
  EXPECT_EQ(begin({1, 32, 30}, -1), "Invalid number of new tokens: -1 (must not be negative)");
  EXPECT_EQ(refusal([&] { decoder.Run({0}, {}); }), "Invalid sequence: 0 (it has not begun)");
  ASSERT_EQ(begin({1, 32, 30}, 1), "accepted");
  EXPECT_EQ(refusal([&] { decoder.Run({0, 0}, {}); }), "Invalid sequence: 0 (it may run only once at a time)");
  decoder.Run({0}, {});
  EXPECT_EQ(refusal([&] { decoder.Run({0}, {}); }), "Invalid sequence: 0 (none of its tokens waits to be run)");
  EXPECT_EQ(refusal([&] { decoder.Append(0, -1); }), "Invalid token 3 of the sequence: -1 (must be from 0 to 39)");
  decoder.Append(0, 1);
  EXPECT_EQ(refusal([&] { decoder.Append(0, 1); }), "Invalid sequence: 0 (its room for 4 tokens is used up)");
  EXPECT_EQ(refusal([&] { decoder.Append(7, 1); }), "Invalid sequence: 7 (it has not begun)");
}

}  // namespace
}  // namespace native_ddp
