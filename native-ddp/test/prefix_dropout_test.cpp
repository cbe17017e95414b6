#include "transformer/prefix_dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "transformer/philox.h"

namespace native_ddp {
namespace {

using Words = std::array<std::uint32_t, 4>;

std::vector<std::uint64_t> MaskOf(const PrefixDropout& dropout, std::int64_t entry, int layer, int key_or_value,
                                  std::int64_t elements) {
  std::vector<std::uint64_t> bits(static_cast<std::size_t>(MaskWords(elements)));
  WriteMask(dropout, entry, layer, key_or_value, elements, bits.data());
  return bits;
}

bool Kept(const std::vector<std::uint64_t>& bits, std::size_t element) {
  return (bits[element / 64] >> (element % 64) & 1) != 0;
}

TEST(PhiloxTest, KnownAnswersOfRandom123) {
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PrefixDropoutTest, TheMaskIsTheDocumentedFunction) {
  const PrefixDropout dropout{0.1, 0x0123456789abcdef};
  const std::int64_t entry = (std::int64_t{5} << 32) + 77;
  const auto threshold = static_cast<std::uint32_t>(std::llround(0.1 * 4294967296.0));
  EXPECT_EQ(dropout.Threshold(), threshold);
  const std::int64_t elements = 3 * 28;  // not a multiple of 64
  const std::vector<std::uint64_t> bits = MaskOf(dropout, entry, 3, 1, elements);
  for (std::uint32_t n = 0; n < elements; ++n) {
    const Words words = Philox({n / 4, 2 * 3 + 1, 77, 5}, {0x89abcdef, 0x01234567});
    EXPECT_EQ(Kept(bits, n), words[n % 4] >= threshold) << n;
  }
}

TEST(PrefixDropoutTest, TheRateIsKept) {
  const std::int64_t elements = 1 << 20;
  for (const double rate : {0.1, 0.5}) {
    const std::vector<std::uint64_t> bits = MaskOf({rate, 9}, 12, 0, 0, elements);
    std::int64_t kept = 0;
    for (const std::uint64_t word : bits) kept += __builtin_popcountll(word);
    const double sigma = std::sqrt(elements * rate * (1 - rate));
    EXPECT_NEAR(static_cast<double>(kept), elements * (1 - rate), 4 * sigma);
  }
}

TEST(PrefixDropoutTest, SeedsEntriesLayersKeysAndValuesAreIndependent) {
  const std::int64_t elements = 1 << 16;
  const std::vector<std::uint64_t> one = MaskOf({0.1, 9}, 12, 1, 0, elements);
  const std::vector<std::vector<std::uint64_t>> others = {
      MaskOf({0.1, 9}, 12, 1, 1, elements),
      MaskOf({0.1, 9}, 12, 2, 0, elements),
      MaskOf({0.1, 9}, 13, 1, 0, elements),
      MaskOf({0.1, 10}, 12, 1, 0, elements),
      MaskOf({0.1, 9 + (std::uint64_t{1} << 32)}, 12, 1, 0, elements),
      MaskOf({0.1, 9}, 12 + (std::int64_t{1} << 32), 1, 0, elements)};
  EXPECT_EQ(one, MaskOf({0.1, 9}, 12, 1, 0, elements));
  for (const auto& other : others) {
    std::int64_t both_dropped = 0;
    for (std::size_t word = 0; word < one.size(); ++word)
      both_dropped += __builtin_popcountll(~one[word] & ~other[word]);
    const double expected = 0.01 * elements;
    EXPECT_NEAR(static_cast<double>(both_dropped), expected, 4 * std::sqrt(expected));
  }
}

TEST(PrefixDropoutTest, MasksOfABatchAreThoseOfItsSamplesWhateverTheThreads) {
  const PrefixDropout dropout{0.3, 4};
  const std::int64_t elements = 5 * 12;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    std::atomic<std::uint64_t> progress{0};
    PrefixMasks masks;
    masks.Make(dropout, {7, 1000}, 2 * 3, elements, pool, progress);
    EXPECT_EQ(progress, 2U * 2 * 3) << "of each slab";
    EXPECT_TRUE(masks.active());
    EXPECT_FLOAT_EQ(masks.scale(), 1 / 0.7F);
    for (int layer = 0; layer < 3; ++layer) {
      for (int k = 0; k < 2; ++k) {
        EXPECT_EQ(masks.bits(0, layer, k)[0], MaskOf(dropout, 7, layer, k, elements)[0]);
        EXPECT_EQ(masks.bits(1, layer, k)[0], MaskOf(dropout, 1000, layer, k, elements)[0]);
      }
    }
    masks.Make({0, 4}, {7}, 6, elements, pool, progress);
    EXPECT_FALSE(masks.active());
  }
}

TEST(PrefixDropoutTest, TheRateMustBeBelowOne) {
  for (const double rate : {-0.1, 1.0, std::nan("")}) {
    EXPECT_THROW((PrefixDropout{rate, 1}).Validate(), std::invalid_argument);
  }
}

}  // namespace
}  // namespace native_ddp
