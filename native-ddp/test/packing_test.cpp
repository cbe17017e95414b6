#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "batches.h"
#include "loaded_model.h"

namespace native_ddp {
namespace {

class PackingTest : public testing::Test {
 protected:
  static constexpr int kPrefixLength = 3;
  const ModelDimensions size_{2, 24, 3, 33, 50, 1e-5};
  const TinyModel model_ = RandomModel(size_, 11);
  const std::vector<Sample> samples_ = RandomSamples(size_, 5, 12, 12);
  const std::vector<float> prefix_ =
      RandomFloats(static_cast<std::size_t>(2 * size_.layers * kPrefixLength * size_.hidden), -1.5F, 1.5F, 13);
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
        const std::vector<double> part = loaded->ForwardBackward(Pack({first, first + count}), PrefixOf(prefix_, size_),
                                                                 dropout, gradient.data(), [](int) {});
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
  const std::size_t slice = prefix_.size() / static_cast<std::size_t>(size_.layers);
  std::vector<float> gradient(prefix_.size(), 0.0F);
  std::vector<int> order;
  std::vector<float> seen(prefix_.size());
  loaded->ForwardBackward(Pack(samples_), PrefixOf(prefix_, size_), {}, gradient.data(), [&](int layer) {
    order.push_back(layer);
    const auto begin = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(layer) * slice);
    std::copy_n(gradient.begin() + begin, slice, seen.begin() + begin);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 0}));
  EXPECT_EQ(seen, gradient);
}

TEST_F(PackingTest, DropoutIsTheMaskAppliedToThePrefixByHand) {
  LoadedModel loaded(model_, ElementType::kFloat32);
  const std::size_t elements = static_cast<std::size_t>(kPrefixLength * size_.hidden);
  for (const Sample& sample : samples_) {
    std::vector<float> factor(prefix_.size());
    for (int layer = 0; layer < size_.layers; ++layer) {
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
      loaded->ForwardBackward(Pack({sample}), PrefixOf(prefix_, size_), dropout_, gradient.data(),
                              [&](int layer) { finished.push_back(layer); });
  EXPECT_EQ(losses, std::vector<double>{0});
  for (const float value : gradient) EXPECT_EQ(value, 0.0F);
  EXPECT_EQ(finished.size(), 2U);
}

TEST_F(PackingTest, ProgressAdvancesDuringACall) {
  LoadedModel loaded(model_, ElementType::kBfloat16);
  std::vector<std::uint64_t> seen = {loaded->progress()};
  std::vector<float> gradient(prefix_.size(), 0.0F);
  loaded->ForwardBackward(Pack(samples_), PrefixOf(prefix_, size_), {}, gradient.data(),
                          [&](int) { seen.push_back(loaded->progress()); });
  EXPECT_LT(seen[0] + 10, seen[1]);
  EXPECT_LT(seen[1], seen[2]);
}

TEST_F(PackingTest, ProductsAreCounted) {
  LoadedModel loaded(model_, ElementType::kFloat32);
  EXPECT_EQ(loaded->products().operations, 0);
  const PackedBatch batch = Pack(samples_);
  loaded->Losses(batch, PrefixOf(prefix_, size_));
  const double all = batch.rows();
  const auto labelled = static_cast<double>(batch.LabelledRows().size());
  const double hidden = size_.hidden;
  const double outputs = 2 * hidden * hidden + 2 * hidden * size_.inner;  // query, Dense and MLP of a row
  const double expected =
      2 * ((all + labelled) * outputs + 2 * all * 2 * hidden * hidden + labelled * hidden * size_.vocabulary);
  EXPECT_EQ(loaded->products().operations, expected);
  EXPECT_GT(loaded->products().seconds, 0);
}

TEST_F(PackingTest, KernelsAreNamed) {
  const auto kernels = [&](ElementType precision, InstructionSet instructions) {
    return LoadedModel(model_, precision, 1, instructions)->kernels();
  };
  EXPECT_EQ(kernels(ElementType::kBfloat16, InstructionSet::kGeneric), "sgemm/bf16");
  EXPECT_EQ(kernels(ElementType::kFloat32, InstructionSet::kGeneric), "sgemm/fp32");
  if (!IsSupported(InstructionSet::kAvx2)) GTEST_SKIP() << "this CPU lacks AVX2 or FMA";
  EXPECT_EQ(kernels(ElementType::kBfloat16, InstructionSet::kAvx2), "avx2/bf16");
  const std::string fp32 = kernels(ElementType::kFloat32, InstructionSet::kAuto);
  EXPECT_TRUE(fp32 == "avx2/fp32" || fp32 == "avx512/fp32") << fp32 << ": others would round the weights";
  const bool has_amx = IsSupported(InstructionSet::kAmx);
  EXPECT_EQ(kernels(ElementType::kBfloat16, InstructionSet::kAuto), (has_amx ? "amx" : BestWithoutAmx()) + "/bf16");
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
