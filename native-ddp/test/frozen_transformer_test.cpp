#include "transformer/frozen_transformer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

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

class FrozenTransformerPathTest : public PathTest {};

TEST_P(FrozenTransformerPathTest, Bf16ModeStaysNearTheReferenceOnTheSameRoundedWeights) {
  std::uint32_t seed = 200;
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << "hidden " << c.size.hidden << " heads " << c.size.heads);
    const TinyModel model = RandomModel(c.size, ++seed).Rounded();
    const ReferenceModel reference(model);
    const PackedBatch batch = Pack(RandomSamples(c.size, c.samples, c.longest, ++seed));
    const std::vector<float> prefix = RandomPrefix(c, ++seed);
    LoadedModel loaded(model, ElementType::kBfloat16, 2, GetParam());
    const LossesAndGradient result = Train(*loaded, batch, prefix);
    const std::vector<double> expected = reference.Losses(batch, {prefix.begin(), prefix.end()});
    // Where only what is kept for the backward is rounded, losses are those of FP32.
    const double tolerance = RoundsActivations(GetParam()) ? 5e-3 : 2e-5;
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(result.losses[i], expected[i], tolerance * (1 + expected[i]));
    EXPECT_LT(RelativeDistance(result.gradient, GradientByDifferences(reference, batch, prefix)), 0.02);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, FrozenTransformerPathTest, testing::ValuesIn(kPaths), PathName);

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

TEST(FrozenTransformerTest, TheLastLayerGoesOnWithAnyLabelledRows) {
  // As the reference, which computes every row in every layer: a label before the context ends, gaps, a sample without
  // any label between others, and one layer that is the first and the last.
  for (const int layers : {1, 2, 3}) {
    const Case c{{layers, 24, 3, 33, 50, 1e-5}, 3, 3, 9};
    SCOPED_TRACE(testing::Message() << layers << " layers");
    const TinyModel model = RandomModel(c.size, 61);
    const ReferenceModel reference(model);
    std::vector<Sample> samples = RandomSamples(c.size, 3, 1, 62);
    const std::vector<std::vector<int>> labelled = {{0, 3, 4, 8}, {}, {6}};
    for (std::size_t i = 0; i < samples.size(); ++i) {
      Sample& sample = samples[i];
      sample.tokens.assign(9, 7 + static_cast<std::int32_t>(i));
      sample.targets.assign(9, kIgnored);
      for (const int row : labelled[i]) sample.targets[static_cast<std::size_t>(row)] = 3 * row + 1;
      sample.context_length = 5;
      sample.mask_position = 4;
    }
    const PackedBatch batch = Pack(samples);
    const std::vector<float> prefix = RandomPrefix(c, 63);
    for (const int threads : {1, 2}) {
      LoadedModel loaded(model, ElementType::kFloat32, threads);
      const LossesAndGradient result = Train(*loaded, batch, prefix);
      const std::vector<double> expected = reference.Losses(batch, {prefix.begin(), prefix.end()});
      for (std::size_t i = 0; i < samples.size(); ++i) EXPECT_NEAR(result.losses[i], expected[i], 1e-4);
      EXPECT_EQ(result.losses[1], 0);
      EXPECT_LT(RelativeDistance(result.gradient, GradientByDifferences(reference, batch, prefix)), 2e-5);
    }
  }
}

TEST(FrozenTransformerTest, MoreLabelsThanAChunkOfLogitsChangeNothing) {
  const Case c{{1, 8, 2, 7, 11, 1e-5}, 2, 1, 1};
  LoadedModel loaded(RandomModel(c.size, 64), ElementType::kFloat32);
  const std::vector<Sample> samples = RandomSamples(c.size, 300, 20, 65);  // about 2000 labels; a chunk has 1024 rows
  ASSERT_GT(Pack(samples).LabelledRows().size(), 1500U);
  const std::vector<float> prefix = RandomPrefix(c, 66);
  const LossesAndGradient whole = Train(*loaded, Pack(samples), prefix);
  std::vector<float> gradient(prefix.size(), 0.0F);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::vector<double> alone =
        loaded->ForwardBackward(Pack({samples[i]}), PrefixOf(prefix, c.size), {}, gradient.data(), [](int) {});
    EXPECT_NEAR(whole.losses[i], alone[0], 1e-5 * (1 + alone[0]));
  }
  EXPECT_LT(RelativeDistance(whole.gradient, gradient), 1e-5);
}

}  // namespace
}  // namespace native_ddp
