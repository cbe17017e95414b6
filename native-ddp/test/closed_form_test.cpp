#include "closed_form.h"

#include <gtest/gtest.h>

#include <cmath>

#include "batches.h"
#include "instruction_paths.h"
#include "loaded_model.h"
#include "optimizer/adamw.h"
#include "optimizer/reductions.h"

// The expected numbers are those of the official model code in FP32.
namespace native_ddp {
namespace {

constexpr int kLabelled[2] = {4, 7};

double Norm(const std::vector<float>& x) {
  ThreadPool pool(1);
  return std::sqrt(SquaredNorm(static_cast<std::int64_t>(x.size()), x.data(), pool));
}

/** Both rows with the weights of one averaging: all labelled tokens alike, or all rows alike. */
PackedBatch Weighted(const ClosedForm& oracle, bool mean_of_means) {
  PackedBatch batch = oracle.batch;
  for (std::size_t i = 0; i < 2; ++i)
    batch.samples[i].weight = mean_of_means ? 0.5F / static_cast<float>(kLabelled[i]) : 1.0F / 11;
  return batch;
}

double Mean(const std::vector<double>& losses, bool mean_of_means) {
  return mean_of_means ? (losses[0] / kLabelled[0] + losses[1] / kLabelled[1]) / 2 : (losses[0] + losses[1]) / 11;
}

TEST(ClosedFormTest, TheModelIsTheOneDescribed) {
  const ClosedForm oracle;
  EXPECT_FLOAT_EQ(oracle.model.at("transformer.word_embeddings.weight")[0], -0.5F);
  EXPECT_FLOAT_EQ(oracle.model.at("transformer.layers.1.attention.query_key_value.weight")[1], 0.4719052F);
  EXPECT_FLOAT_EQ(oracle.model.at("transformer.layers.0.input_layernorm.weight")[0], 1.0820719F);
  EXPECT_FLOAT_EQ(oracle.embedding[1], 1.7345171F);
  EXPECT_EQ(oracle.batch.samples[0].length, 7);
  EXPECT_EQ(oracle.batch.samples[1].length, 9);
}

class ClosedFormPathTest : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam())) GTEST_SKIP() << "this CPU lacks the instructions";
  }
};

TEST_P(ClosedFormPathTest, LossesAndPrefixGradientInFp32) {
  const ClosedForm oracle;
  const std::vector<float> prefix = KeysAndValues(oracle.embedding, oracle.model.dimensions);
  for (const int threads : {1, 2}) {
    LoadedModel model(oracle.model, ElementType::kFloat32, threads, GetParam());
    const LossesAndGradient result = Train(*model, Weighted(oracle, false), prefix);
    EXPECT_NEAR(Mean(result.losses, false), 7.0294600, 2e-5);
    EXPECT_NEAR(result.losses[0] / 4, 8.0596523, 2e-5);
    EXPECT_NEAR(result.losses[1] / 7, 6.4407792, 2e-5);
    EXPECT_NEAR(Mean(result.losses, true), 7.2502155, 2e-5);
    EXPECT_NEAR(Norm(result.gradient), 8.890069e-2, 8.9e-6);
    double sum = 0;
    double absolute = 0;
    for (const float value : result.gradient) {
      sum += value;
      absolute += std::abs(value);
    }
    EXPECT_NEAR(sum, -3.163158e-2, 1e-6);
    EXPECT_NEAR(absolute, 1.104398, 1e-5);
    EXPECT_NEAR(result.gradient[0], 1.627956e-3, 2e-7);
    EXPECT_NEAR(result.gradient[1], -3.089914e-3, 3e-7);
    EXPECT_NEAR(result.gradient[2], -2.760520e-3, 3e-7);
    EXPECT_NEAR(Norm(Train(*model, Weighted(oracle, true), prefix).gradient), 9.036418e-2, 9e-6);
    const std::vector<double> losses = model->Losses(oracle.batch, PrefixOf(prefix, oracle.model.dimensions));
    EXPECT_NEAR(losses[0], result.losses[0], 1e-5);
    EXPECT_NEAR(losses[1], result.losses[1], 1e-5);
  }
}

TEST_P(ClosedFormPathTest, LossesAndPrefixGradientInBf16) {
  const ClosedForm oracle;
  const std::vector<float> prefix = KeysAndValues(oracle.embedding, oracle.model.dimensions);
  LoadedModel exact(oracle.model, ElementType::kFloat32, 1, GetParam());
  LoadedModel rounded(oracle.model, ElementType::kBfloat16, 1, GetParam());
  const LossesAndGradient expected = Train(*exact, Weighted(oracle, false), prefix);
  const LossesAndGradient result = Train(*rounded, Weighted(oracle, false), prefix);
  EXPECT_NEAR(Mean(result.losses, false), 7.0294600, 2e-2);
  EXPECT_NEAR(result.losses[0] / 4, 8.0596523, 0.1);
  EXPECT_NEAR(result.losses[1] / 7, 6.4407792, 0.1);
  EXPECT_GT(RelativeDistance(result.gradient, expected.gradient), 1e-5) << "BF16 mode computed in FP32";
  EXPECT_LE(RelativeDistance(result.gradient, expected.gradient), 0.04);
  double product = 0;
  for (std::size_t i = 0; i < prefix.size(); ++i) product += result.gradient[i] * expected.gradient[i];
  EXPECT_GE(product / (Norm(result.gradient) * Norm(expected.gradient)), 0.999);
}

/** Five steps of HF AdamW from lr 0.02 linear to 0, clip 1.0; the losses before each step and at the end. */
std::vector<double> FiveSteps(InstructionSet path, bool mean_of_means, std::vector<float>* prefix,
                              std::vector<double>* norms) {
  const ClosedForm oracle;
  LoadedModel model(oracle.model, ElementType::kFloat32, 1, path);
  *prefix = KeysAndValues(oracle.embedding, oracle.model.dimensions);
  std::vector<float> m(prefix->size());
  std::vector<float> v(prefix->size());
  const PackedBatch batch = Weighted(oracle, mean_of_means);
  std::vector<double> losses;
  for (std::int64_t step = 1; step <= 5; ++step) {
    const LossesAndGradient result = Train(*model, batch, *prefix);
    losses.push_back(Mean(result.losses, mean_of_means));
    norms->push_back(Norm(result.gradient));
    const double rate = 0.02 * static_cast<double>(6 - step) / 5;
    const double clip = std::min(1.0, 1.0 / (norms->back() + 1e-6));
    ThreadPool pool(1);
    AdamW(static_cast<std::int64_t>(m.size()), {rate, 0.9, 0.999, 1e-8, 0, step, clip}, result.gradient.data(),
          prefix->data(), m.data(), v.data(), pool);
  }
  losses.push_back(Mean(model->Losses(batch, PrefixOf(*prefix, oracle.model.dimensions)), mean_of_means));
  return losses;
}

TEST_P(ClosedFormPathTest, FiveOptimiserStepsWithTokenWeighting) {
  std::vector<float> prefix;
  std::vector<double> norms;
  const std::vector<double> losses = FiveSteps(GetParam(), false, &prefix, &norms);
  const double expected_losses[] = {7.029460, 7.007425, 6.989868, 6.976725, 6.967971, 6.963594};
  const double expected_norms[] = {0.088901, 0.088358, 0.087974, 0.087729, 0.087590};
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected_losses[i], 3e-6) << i;
  for (std::size_t i = 0; i < norms.size(); ++i) EXPECT_NEAR(norms[i], expected_norms[i], 1e-6) << i;
  const double expected_prefix[] = {-1.549374, 1.794589, 1.230430};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(prefix[i], expected_prefix[i], 2e-6) << i;
}

TEST_P(ClosedFormPathTest, FiveOptimiserStepsWithMeanOfMeans) {
  std::vector<float> prefix;
  std::vector<double> norms;
  const std::vector<double> losses = FiveSteps(GetParam(), true, &prefix, &norms);
  const double expected[] = {7.250216, 7.228047, 7.210300, 7.196982, 7.188100};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(losses[i], expected[i], 3e-6) << i;
}

INSTANTIATE_TEST_SUITE_P(Paths, ClosedFormPathTest, testing::ValuesIn(kPaths), PathName);

}  // namespace
}  // namespace native_ddp
