#include "transformer/frozen_transformer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "batches.h"
#include "loaded_model.h"
#include "reference_model.h"

namespace native_ddp {
namespace {

struct Case {
  ModelDimensions size;
  int prefix_length;
  int samples;
  int longest;
};

// Odd numbers of everything, head sizes from 4 up, samples shorter and longer than the prefix.
const std::vector<Case> kCases = {
    {{1, 4, 1, 3, 5, 1e-5}, 1, 1, 4},     {{2, 8, 2, 7, 11, 1e-5}, 3, 3, 6},     {{3, 12, 1, 17, 19, 1e-5}, 8, 2, 9},
    {{2, 24, 3, 33, 50, 1e-5}, 3, 4, 11}, {{1, 32, 2, 64, 37, 1e-6}, 1, 5, 12},  {{2, 36, 9, 5, 101, 1e-3}, 8, 3, 7},
    {{4, 16, 4, 16, 16, 1e-5}, 3, 2, 13}, {{2, 40, 2, 100, 23, 1e-5}, 2, 2, 20},
};

std::size_t PrefixElements(const Case& c) {
  return static_cast<std::size_t>(2 * c.size.layers * c.prefix_length * c.size.hidden);
}

std::vector<float> RandomPrefix(const Case& c, std::uint32_t seed) {
  return RandomFloats(PrefixElements(c), -1.5F, 1.5F, seed);
}

double Weighted(const PackedBatch& batch, const std::vector<double>& losses) {
  double sum = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) sum += static_cast<double>(batch.samples[i].weight) * losses[i];
  return sum;
}

/** d Σ weight · loss / d prefix by central differences of the FP64 reference. */
std::vector<double> GradientByDifferences(const ReferenceModel& reference, const PackedBatch& batch,
                                          const std::vector<float>& prefix) {
  constexpr double kStep = 1e-4;
  std::vector<double> moved(prefix.begin(), prefix.end());
  std::vector<double> gradient(prefix.size());
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    moved[i] = prefix[i] + kStep;
    const double above = Weighted(batch, reference.Losses(batch, moved));
    moved[i] = prefix[i] - kStep;
    gradient[i] = (above - Weighted(batch, reference.Losses(batch, moved))) / (2 * kStep);
    moved[i] = prefix[i];
  }
  return gradient;
}

TEST(FrozenTransformerTest, LossesAndGradientsEqualTheReferenceInFp32) {
  std::uint32_t seed = 100;
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << "hidden " << c.size.hidden << " heads " << c.size.heads);
    const TinyModel model = RandomModel(c.size, ++seed);
    const ReferenceModel reference(model);
    const PackedBatch batch = Pack(RandomSamples(c.size, c.samples, c.longest, ++seed));
    const std::vector<float> prefix = RandomPrefix(c, ++seed);
    const std::vector<double> expected = reference.Losses(batch, {prefix.begin(), prefix.end()});
    const std::vector<double> gradient = GradientByDifferences(reference, batch, prefix);
    for (const int threads : {1, 2, 3}) {
      LoadedModel loaded(model, ElementType::kFloat32, threads);
      const LossesAndGradient result = Train(*loaded, batch, prefix);
      const std::vector<double> forward_only = loaded->Losses(batch, PrefixOf(prefix, c.size));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(result.losses[i], expected[i], 2e-5 * (1 + expected[i]));
        EXPECT_NEAR(forward_only[i], expected[i], 2e-5 * (1 + expected[i]));
      }
      EXPECT_LT(RelativeDistance(result.gradient, gradient), 2e-5);
    }
  }
}

TEST(FrozenTransformerTest, Bf16ModeStaysNearTheReferenceOnTheSameRoundedWeights) {
  std::uint32_t seed = 200;
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << "hidden " << c.size.hidden << " heads " << c.size.heads);
    const TinyModel model = RandomModel(c.size, ++seed).Rounded();
    const ReferenceModel reference(model);
    const PackedBatch batch = Pack(RandomSamples(c.size, c.samples, c.longest, ++seed));
    const std::vector<float> prefix = RandomPrefix(c, ++seed);
    LoadedModel loaded(model, ElementType::kBfloat16, 2);
    const LossesAndGradient result = Train(*loaded, batch, prefix);
    const std::vector<double> expected = reference.Losses(batch, {prefix.begin(), prefix.end()});
    // Only what is kept for the backward is rounded, so that the losses are those of FP32.
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(result.losses[i], expected[i], 2e-5 * (1 + expected[i]));
    EXPECT_LT(RelativeDistance(result.gradient, GradientByDifferences(reference, batch, prefix)), 0.02);
  }
}

TEST(FrozenTransformerTest, WithoutAPrefixTheLossesAreThoseOfTheBase) {
  const Case& c = kCases[3];
  const TinyModel model = RandomModel(c.size, 1);
  const PackedBatch batch = Pack(RandomSamples(c.size, 4, 12, 2));
  LoadedModel loaded(model, ElementType::kFloat32, 2);
  const std::vector<double> losses = loaded->Losses(batch, {});
  const std::vector<double> expected = ReferenceModel(model).Losses(batch, {});
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 2e-5 * (1 + expected[i]));
}

TEST(FrozenTransformerTest, ABlockOfQueriesMoreDoesNotMatter) {
  // Attention takes 128 queries at a time, so that only longer samples see its blocks.
  const Case c{{2, 16, 2, 24, 30, 1e-5}, 3, 1, 1};
  const TinyModel model = RandomModel(c.size, 3);
  const ReferenceModel reference(model);
  const std::vector<float> prefix = RandomPrefix(c, 4);
  for (const int context_length : {0, 5, 130, 300}) {
    Sample sample{{}, {}, context_length, 2};
    for (int row = 0; row < 300; ++row) {
      sample.tokens.push_back((row * 7) % 30);
      sample.targets.push_back(row % 60 == 0 ? (row / 2) % 30 : kIgnored);
    }
    const PackedBatch batch = Pack({sample});
    LoadedModel loaded(model, ElementType::kFloat32, 2);
    const LossesAndGradient result = Train(*loaded, batch, prefix);
    std::vector<double> moved(prefix.begin(), prefix.end());
    EXPECT_NEAR(result.losses[0], reference.Losses(batch, moved)[0], 1e-4);
    // along one random direction, which all elements take part in
    const std::vector<float> direction = RandomFloats(prefix.size(), -1, 1, 5);
    const auto along = [&](double step) {
      for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = prefix[i] + step * direction[i];
      return reference.Losses(batch, moved)[0];
    };
    const double expected = (along(1e-4) - along(-1e-4)) / 2e-4;
    EXPECT_NEAR(std::inner_product(direction.begin(), direction.end(), result.gradient.begin(), 0.0), expected,
                1e-4 * std::abs(expected) + 1e-5);
  }
}

class PackingTest : public testing::Test {
 protected:
  const Case case_ = kCases[3];
  const TinyModel model_ = RandomModel(case_.size, 11);
  const std::vector<Sample> samples_ = RandomSamples(case_.size, 5, 12, 12);
  const std::vector<float> prefix_ = RandomPrefix(case_, 13);
  const PrefixDropout dropout_{0.25, 99};
};

TEST_F(PackingTest, APackedBatchIsTheSumOfItsSamplesHoweverItIsSplit) {
  LoadedModel loaded(model_, ElementType::kFloat32);
  for (const PrefixDropout& dropout : {PrefixDropout{}, dropout_}) {
    const LossesAndGradient whole = Train(*loaded, Pack(samples_), prefix_, dropout);
    for (const std::size_t micro_batch : {1UL, 2UL, 3UL}) {
      std::vector<double> losses;
      std::vector<float> gradient(prefix_.size(), 0.0F);  // of all micro-batches: every call adds to it
      for (std::size_t begin = 0; begin < samples_.size(); begin += micro_batch) {
        const auto first = samples_.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto count = static_cast<std::ptrdiff_t>(std::min(micro_batch, samples_.size() - begin));
        const std::vector<double> part = loaded->ForwardBackward(
            Pack({first, first + count}), PrefixOf(prefix_, case_.size), dropout, gradient.data(), [](int) {});
        losses.insert(losses.end(), part.begin(), part.end());
      }
      ASSERT_EQ(losses.size(), whole.losses.size());
      for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], whole.losses[i], 2e-5);
      EXPECT_LT(RelativeDistance(gradient, whole.gradient), 2e-6);
    }
  }
}

TEST_F(PackingTest, ThreadsChangeNothingButRounding) {
  LoadedModel one(model_, ElementType::kBfloat16, 1);
  LoadedModel two(model_, ElementType::kBfloat16, 2);
  const LossesAndGradient expected = Train(*one, Pack(samples_), prefix_, dropout_);
  const LossesAndGradient result = Train(*two, Pack(samples_), prefix_, dropout_);
  for (std::size_t i = 0; i < samples_.size(); ++i) EXPECT_NEAR(result.losses[i], expected.losses[i], 1e-5);
  EXPECT_LT(RelativeDistance(result.gradient, expected.gradient), 2e-3);  // a BF16 value may round the other way
}

TEST_F(PackingTest, CallsLeaveNothingBehindForTheNext) {
  LoadedModel loaded(model_, ElementType::kBfloat16);
  const PackedBatch batch = Pack({samples_[0], samples_[1]});
  const LossesAndGradient first = Train(*loaded, batch, prefix_, dropout_);
  Train(*loaded, Pack(samples_), prefix_);  // larger, so that workspaces grow
  const LossesAndGradient again = Train(*loaded, batch, prefix_, dropout_);
  EXPECT_EQ(first.losses, again.losses);
  EXPECT_EQ(first.gradient, again.gradient);
}

TEST_F(PackingTest, LayersAreFinishedFromLastToFirstWithTheirSlicesComplete) {
  LoadedModel loaded(model_, ElementType::kFloat32);
  const std::size_t slice = prefix_.size() / static_cast<std::size_t>(case_.size.layers);
  std::vector<float> gradient(prefix_.size(), 0.0F);
  std::vector<int> order;
  std::vector<float> seen(prefix_.size());
  loaded->ForwardBackward(Pack(samples_), PrefixOf(prefix_, case_.size), {}, gradient.data(), [&](int layer) {
    order.push_back(layer);
    const auto begin = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(layer) * slice);
    std::copy_n(gradient.begin() + begin, slice, seen.begin() + begin);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 0}));
  EXPECT_EQ(seen, gradient);
}

TEST_F(PackingTest, DropoutIsTheMaskAppliedToThePrefixByHand) {
  LoadedModel loaded(model_, ElementType::kFloat32);
  const std::size_t elements = static_cast<std::size_t>(case_.prefix_length * case_.size.hidden);
  for (const Sample& sample : samples_) {
    std::vector<float> factor(prefix_.size());
    for (int layer = 0; layer < case_.size.layers; ++layer) {
      for (int k = 0; k < 2; ++k) {
        std::vector<std::uint64_t> bits(static_cast<std::size_t>(MaskWords(static_cast<std::int64_t>(elements))));
        WriteMask(dropout_, sample.entry, layer, k, static_cast<std::int64_t>(elements), bits.data());
        for (std::size_t n = 0; n < elements; ++n) {
          const bool kept = (bits[n / 64] >> (n % 64) & 1) != 0;
          factor[static_cast<std::size_t>(2 * layer + k) * elements + n] = kept ? dropout_.Scale() : 0.0F;
        }
      }
    }
    std::vector<float> dropped(prefix_.size());
    for (std::size_t i = 0; i < prefix_.size(); ++i) dropped[i] = factor[i] * prefix_[i];
    LossesAndGradient expected = Train(*loaded, Pack({sample}), dropped);
    for (std::size_t i = 0; i < prefix_.size(); ++i) expected.gradient[i] *= factor[i];
    const LossesAndGradient result = Train(*loaded, Pack({sample}), prefix_, dropout_);
    EXPECT_NEAR(result.losses[0], expected.losses[0], 1e-6);
    if (expected.losses[0] > 0) {
      EXPECT_LT(RelativeDistance(result.gradient, expected.gradient), 1e-6);
    }
  }
}

TEST_F(PackingTest, WhatIsNotFiniteComesOutAsItIs) {
  LoadedModel loaded(model_, ElementType::kBfloat16);
  std::vector<float> prefix = prefix_;
  prefix[prefix.size() - 1] = std::numeric_limits<float>::quiet_NaN();
  for (const double rate : {0.0, 0.9}) {  // dropped or not
    const LossesAndGradient result = Train(*loaded, Pack(samples_), prefix, {rate, 5});
    for (const double loss : result.losses) EXPECT_TRUE(std::isnan(loss) || loss == 0) << "of a row without labels";
    EXPECT_TRUE(std::isnan(result.gradient[0]));
  }
}

TEST_F(PackingTest, ASampleWithoutLabelsHasNoLossAndNoGradient) {
  LoadedModel loaded(model_, ElementType::kBfloat16);
  Sample sample = samples_[0];
  for (std::int32_t& target : sample.targets) target = kIgnored;
  std::vector<int> finished;
  std::vector<float> gradient(prefix_.size(), 0.0F);
  const std::vector<double> losses =
      loaded->ForwardBackward(Pack({sample}), PrefixOf(prefix_, case_.size), dropout_, gradient.data(),
                              [&](int layer) { finished.push_back(layer); });
  EXPECT_EQ(losses, std::vector<double>{0});
  for (const float value : gradient) EXPECT_EQ(value, 0.0F);
  EXPECT_EQ(finished.size(), 2U);
}

TEST_F(PackingTest, ProgressAdvancesDuringACall) {
  LoadedModel loaded(model_, ElementType::kBfloat16);
  std::vector<std::uint64_t> seen = {loaded->progress()};
  std::vector<float> gradient(prefix_.size(), 0.0F);
  loaded->ForwardBackward(Pack(samples_), PrefixOf(prefix_, case_.size), {}, gradient.data(),
                          [&](int) { seen.push_back(loaded->progress()); });
  EXPECT_LT(seen[0] + 10, seen[1]);
  EXPECT_LT(seen[1], seen[2]);
}

TEST_F(PackingTest, KernelsAreNamed) {
  const auto kernels = [&](ElementType precision, InstructionSet instructions) {
    return LoadedModel(model_, precision, 1, instructions)->kernels();
  };
  EXPECT_EQ(kernels(ElementType::kBfloat16, InstructionSet::kGeneric), "sgemm/bf16");
  EXPECT_EQ(kernels(ElementType::kFloat32, InstructionSet::kGeneric), "sgemm/fp32");
  if (!IsSupported(InstructionSet::kAvx2)) GTEST_SKIP() << "this CPU lacks AVX2 or FMA";
  EXPECT_EQ(kernels(ElementType::kBfloat16, InstructionSet::kAvx2), "avx2/bf16");
  EXPECT_EQ(kernels(ElementType::kFloat32, InstructionSet::kAuto), "avx2/fp32") << "tiles would round the weights";
  const bool has_amx = IsSupported(InstructionSet::kAmx);
  EXPECT_EQ(kernels(ElementType::kBfloat16, InstructionSet::kAuto), has_amx ? "amx/bf16" : "avx2/bf16");
}

TEST_F(PackingTest, ABatchThatDoesNotFitIsRefusedBeforeAnythingIsComputed) {
  LoadedModel loaded(model_, ElementType::kFloat32);
  const auto refused = [&](const std::function<void(PackedBatch&)>& spoil) -> std::string {
    PackedBatch batch = Pack(samples_);
    spoil(batch);
    try {
      Train(*loaded, batch, prefix_);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refused([](PackedBatch&) {}), "accepted");
  EXPECT_EQ(refused([](PackedBatch& batch) { batch = {}; }),
            "Invalid batch: it has no samples (at least one is needed)");
  EXPECT_EQ(refused([](PackedBatch& batch) { batch.tokens[0] = 50; }),
            "Invalid token of sample 0: 50 (must be from 0 to 49)");
  EXPECT_EQ(refused([](PackedBatch& batch) { batch.tokens[0] = -1; }),
            "Invalid token of sample 0: -1 (must be from 0 to 49)");
  EXPECT_EQ(refused([](PackedBatch& batch) { batch.targets.back() = -99; }),
            "Invalid target of sample 4: -99 (must be from 0 to 49, or -100 for none)");
  EXPECT_NE(refused([](PackedBatch& batch) { batch.targets.pop_back(); }).find("must be equally many"),
            std::string::npos);
  EXPECT_NE(refused([](PackedBatch& batch) {
              batch.samples[1].context_length = batch.samples[1].length + 1;
            }).find("Invalid context length of sample 1"),
            std::string::npos);
  EXPECT_NE(refused([](PackedBatch& batch) {
              batch.samples[1].mask_position = batch.samples[1].length;
            }).find("Invalid mask position of sample 1"),
            std::string::npos);
  EXPECT_NE(refused([](PackedBatch& batch) { batch.samples[2].begin += 1; }).find("Invalid first row of sample 2"),
            std::string::npos);
  EXPECT_NE(refused([](PackedBatch& batch) { batch.samples[4].length += 1; }).find("Invalid length of sample 4"),
            std::string::npos);
  EXPECT_NE(refused([](PackedBatch& batch) { batch.samples.pop_back(); }).find("its samples have"), std::string::npos);
}

TEST_F(PackingTest, TrainingNeedsAPrefix) {
  LoadedModel loaded(model_, ElementType::kFloat32);
  EXPECT_THROW(Train(*loaded, Pack(samples_), {}), std::invalid_argument);
}

}  // namespace
}  // namespace native_ddp
