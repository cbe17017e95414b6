#pragma once

#include <vector>

#include "transformer/packed_batch.h"
#include "weights/model_dimensions.h"

namespace native_ddp {

/** One sample with its rows, before packing. */
struct Sample {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> targets;
  int context_length;
  int mask_position;
  std::int64_t entry = 0;
  float weight = 1;
};

PackedBatch Pack(const std::vector<Sample>& samples);

/** From a padded row and labels aligned with it, as the official training data has them. */
Sample FromLabels(const std::vector<std::int32_t>& tokens, const std::vector<std::int32_t>& labels, std::int32_t sop,
                  std::int32_t mask);

/** Samples of 1 to `longest` rows with any context, any mask position, and labels here and there. */
std::vector<Sample> RandomSamples(const ModelDimensions& size, int count, int longest, std::uint32_t seed);

}  // namespace native_ddp
