#include "batches.h"

#include <algorithm>
#include <random>

namespace native_ddp {

PackedBatch Pack(const std::vector<Sample>& samples) {
  PackedBatch batch;
  for (const Sample& sample : samples) {
    batch.samples.push_back({sample.entry, sample.weight, batch.rows(), static_cast<int>(sample.tokens.size()),
                             sample.context_length, sample.mask_position});
    batch.tokens.insert(batch.tokens.end(), sample.tokens.begin(), sample.tokens.end());
    batch.targets.insert(batch.targets.end(), sample.targets.begin(), sample.targets.end());
  }
  return batch;
}

Sample FromLabels(const std::vector<std::int32_t>& tokens, const std::vector<std::int32_t>& labels, std::int32_t sop,
                  std::int32_t mask) {
  const auto index = [&](std::int32_t token) {
    return static_cast<int>(std::find(tokens.begin(), tokens.end(), token) - tokens.begin());
  };
  Sample sample{{}, {}, index(sop), index(mask)};
  std::size_t inputs = static_cast<std::size_t>(sample.context_length);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != kIgnored) inputs = std::max(inputs, i);
  }
  sample.tokens.assign(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(inputs));
  sample.targets.assign(labels.begin() + 1, labels.begin() + 1 + static_cast<std::ptrdiff_t>(inputs));
  return sample;
}

std::vector<Sample> RandomSamples(const ModelDimensions& size, int count, int longest, std::uint32_t seed) {
  std::mt19937 generator(seed);
  const auto below = [&](int limit) { return static_cast<int>(generator() % static_cast<std::uint32_t>(limit)); };
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) {
    const int length = 1 + below(longest);
    Sample sample{{},
                  {},
                  below(length + 1),
                  below(length),
                  static_cast<std::int64_t>(generator()),
                  0.25F * static_cast<float>(1 + below(8))};
    for (int row = 0; row < length; ++row) {
      sample.tokens.push_back(below(size.vocabulary));
      sample.targets.push_back(below(3) == 0 ? kIgnored : below(size.vocabulary));
    }
    samples.push_back(sample);
  }
  return samples;
}

}  // namespace native_ddp
