#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "batches.h"
#include "closed_form.h"
#include "greedy.h"
#include "instruction_paths.h"
#include "loaded_model.h"
#include "optimizer/adamw.h"
#include "optimizer/reductions.h"
#include "weights/safetensors_file.h"

// Against what the official code computed for a small model: three layers, four heads of 16, a prefix of 8.
namespace native_ddp {
namespace {

const ModelDimensions kSize{3, 64, 4, 160, 512, 1e-5};
constexpr DecodingTokens kTokens{/*start=*/504, /*gmask=*/501, /*mask=*/500};
constexpr std::int32_t kEnd = 505;
constexpr const char* kEmbedding = "transformer.prefix_encoder.embedding.weight";

template <class Element>
std::vector<Element> Values(const SafetensorsFile& file, const std::string& name) {
  const StoredTensor& tensor = file.tensor(name);
  std::vector<Element> values(tensor.bytes / sizeof(Element));
  std::memcpy(values.data(), tensor.data, tensor.bytes);
  return values;
}

double Norm(const std::vector<float>& x) {
  ThreadPool pool(1);
  return std::sqrt(SquaredNorm(static_cast<std::int64_t>(x.size()), x.data(), pool));
}

class GoldenTest : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam())) GTEST_SKIP() << "this CPU lacks the instructions";
    const char* shared = std::getenv("GLM_TUNER_SHARED");
    folder_ = std::string(shared != nullptr ? shared : DEFAULT_SHARED) + "/data/golden/small/";
    if (!std::filesystem::exists(folder_)) {
      GTEST_SKIP() << "no golden data in " << folder_ << " (GLM_TUNER_SHARED names another place)";
    }
    model_.dimensions = kSize;
    const SafetensorsFile weights(folder_ + "model/model.safetensors");
    for (const auto& [name, shape] : TensorShapes(kSize)) model_.tensors[name] = Values<float>(weights, name);
    const SafetensorsFile rows(folder_ + "rows.safetensors");
    const auto ids = Values<std::int32_t>(rows, "input_ids");
    const auto labels = Values<std::int32_t>(rows, "labels");
    for (std::ptrdiff_t row = 0; row < 24; ++row) {
      samples_.push_back(FromLabels({ids.begin() + 32 * row, ids.begin() + 32 * (row + 1)},
                                    {labels.begin() + 32 * row, labels.begin() + 32 * (row + 1)}, 504, 501));
    }
  }

  std::vector<float> PrefixIn(const std::string& file) const {
    return KeysAndValues(Values<float>(SafetensorsFile(folder_ + file), kEmbedding), kSize);
  }

  nlohmann::json Json(const std::string& file) const { return nlohmann::json::parse(std::ifstream(folder_ + file)); }

  static int Labels(const Sample& sample) {
    return static_cast<int>(sample.targets.size() - static_cast<std::size_t>(std::count(
                                                        sample.targets.begin(), sample.targets.end(), kIgnored)));
  }

  /** The batch of the cases: the first six rows, all labelled tokens alike. */
  PackedBatch CaseBatch() const {
    std::vector<Sample> samples(samples_.begin(), samples_.begin() + 6);
    int labelled = 0;
    for (const Sample& sample : samples) labelled += Labels(sample);
    for (Sample& sample : samples) sample.weight = 1.0F / static_cast<float>(labelled);
    return Pack(samples);
  }

  void CheckLosses(const std::vector<double>& losses, const std::string& name, double tolerance,
                   double row_tolerance) const {
    const nlohmann::json expected = Json(name + "/case.json");
    double sum = 0;
    double labelled = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const double tokens = expected["row_label_tokens"][i];
      EXPECT_NEAR(losses[i] / tokens, expected["row_loss"][i].get<double>(), row_tolerance) << "row " << i;
      sum += losses[i];
      labelled += tokens;
    }
    EXPECT_NEAR(sum / labelled, expected["batch_loss"].get<double>(), tolerance);
  }

  void CheckTraining(const std::string& name, double tolerance) const;

  std::string folder_;
  TinyModel model_;
  std::vector<Sample> samples_;
};

TEST_P(GoldenTest, BaseLosses) {
  CheckLosses(LoadedModel(model_, ElementType::kFloat32, 1, GetParam())->Losses(CaseBatch(), {}), "case-base", 2e-5,
              2e-5);
  CheckLosses(LoadedModel(model_, ElementType::kBfloat16, 1, GetParam())->Losses(CaseBatch(), {}), "case-base", 2e-2,
              0.1);
}

TEST_P(GoldenTest, PrefixLossesAndGradients) {
  const std::vector<float> prefix = PrefixIn("prefix-init/p8/prefix.safetensors");
  const std::vector<float> expected = PrefixIn("case-p8/grads.safetensors");
  LoadedModel exact(model_, ElementType::kFloat32, 1, GetParam());
  const LossesAndGradient fp32 = Train(*exact, CaseBatch(), prefix);
  CheckLosses(fp32.losses, "case-p8", 2e-5, 2e-5);
  EXPECT_LT(RelativeDistance(fp32.gradient, expected), 1e-4);
  LoadedModel rounded(model_, ElementType::kBfloat16, 2, GetParam());
  const LossesAndGradient bf16 = Train(*rounded, CaseBatch(), prefix);
  CheckLosses(bf16.losses, "case-p8", 2e-2, 0.1);
  EXPECT_LT(RelativeDistance(bf16.gradient, expected), 0.04);
}

void GoldenTest::CheckTraining(const std::string& name, double tolerance) const {
  LoadedModel model(model_, tolerance < 1e-3 ? ElementType::kFloat32 : ElementType::kBfloat16, 2, GetParam());
  const nlohmann::json trajectory = Json(name + "/trajectory.json");
  const auto order = trajectory["sample_order"].get<std::vector<std::size_t>>();
  std::vector<float> prefix = PrefixIn("prefix-init/p8/prefix.safetensors");
  std::vector<float> m(prefix.size());
  std::vector<float> v(prefix.size());
  for (std::size_t step = 0; step < 20; ++step) {
    std::vector<Sample> samples;
    for (std::size_t i = 4 * step; i < 4 * (step + 1); ++i) {
      samples.push_back(samples_[order[i]]);
      samples.back().weight = 1.0F / static_cast<float>(Labels(samples.back()));
    }
    const LossesAndGradient result = Train(*model, Pack(samples), prefix);
    double loss = 0;
    for (std::size_t i = 0; i < 4; ++i) loss += result.losses[i] / Labels(samples[i]) / 4;
    EXPECT_NEAR(loss, trajectory["log"][step]["loss"].get<double>(), tolerance) << "step " << step + 1;
    const double norm = Norm(result.gradient) / 4;
    const double clip = std::min(1.0, trajectory["clip"].get<double>() / (norm + 1e-6));
    ThreadPool pool(1);
    AdamW(static_cast<std::int64_t>(prefix.size()),
          {0.02 * static_cast<double>(20 - step) / 20, 0.9, 0.999, 1e-8, 0, static_cast<std::int64_t>(step) + 1,
           clip / 4},
          result.gradient.data(), prefix.data(), m.data(), v.data(), pool);
  }
}

TEST_P(GoldenTest, TrainingRunsInFp32) {
  CheckTraining("train-p8", 2e-5);
  CheckTraining("train-p8-clipped", 2e-5);
}

TEST_P(GoldenTest, TrainingRunInBf16) { CheckTraining("train-p8", 5e-2); }

TEST_P(GoldenTest, GreedyGeneration) {
  LoadedModel model(model_, ElementType::kFloat32, 1, GetParam());
  const nlohmann::json expected = Json("generation.json");
  const std::map<std::string, std::vector<float>> prefixes = {
      {"base", {}},
      {"p8", PrefixIn("prefix-init/p8/prefix.safetensors")},
      {"p8-trained", PrefixIn("train-p8/prefix_final.safetensors")}};
  for (const auto& [name, prefix] : prefixes) {
    std::vector<Tokens> prompts;
    std::vector<Tokens> completions;
    for (const nlohmann::json& prompt : expected[name]) {
      prompts.push_back(prompt["input_ids"][0].get<Tokens>());
      completions.push_back(prompt["new_ids"][0].get<Tokens>());
      completions.back().erase(std::find(completions.back().begin(), completions.back().end(), kEnd),
                               completions.back().end());
      EXPECT_EQ(CompleteGreedily(*model, {prompts.back()}, kTokens, kEnd, PrefixOf(prefix, kSize), 24)[0],
                completions.back())
          << name << " " << prompt["name"];
    }
    ASSERT_EQ(prompts.size(), 4U);
    EXPECT_EQ(CompleteGreedily(*model, prompts, kTokens, kEnd, PrefixOf(prefix, kSize), 24), completions) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, GoldenTest, testing::ValuesIn(kPaths), PathName);

}  // namespace
}  // namespace native_ddp
