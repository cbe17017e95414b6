#include "transformer/packed_batch.h"

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

#include "message.h"

namespace native_ddp {
namespace {

void Check(bool holds, std::size_t sample, const char* what, std::int64_t value, const std::string& rule) {
  if (!holds)
    throw std::invalid_argument(Message("Invalid ", what, " of sample ", sample, ": ", value, " (", rule, ")"));
}

}  // namespace

void PackedBatch::Validate(int vocabulary) const {
  const std::string in_vocabulary = Message("must be from 0 to ", vocabulary - 1);
  const std::string in_vocabulary_or_none = in_vocabulary + ", or -100 for none";
  if (samples.empty()) throw std::invalid_argument("Invalid batch: it has no samples (at least one is needed)");
  if (tokens.size() != targets.size() || tokens.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw std::invalid_argument(
        Message("Invalid batch: ", tokens.size(), " tokens and ", targets.size(), " targets (must be equally many)"));
  }
  int begin = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const PackedSample& sample = samples[i];
    Check(sample.length > 0 && sample.length <= rows() - begin, i, "length", sample.length,
          Message("must be from 1 to the ", rows() - begin, " rows that are left"));
    Check(sample.begin == begin, i, "first row", sample.begin, Message("must be ", begin));
    Check(sample.context_length >= 0 && sample.context_length <= sample.length, i, "context length",
          sample.context_length, Message("must be from 0 to its length ", sample.length));
    Check(sample.mask_position >= 0 && sample.mask_position < sample.length, i, "mask position", sample.mask_position,
          Message("must be from 0 to ", sample.length - 1));
    begin += sample.length;
    for (int row = sample.begin; row < begin; ++row) {
      const std::int32_t token = tokens[static_cast<std::size_t>(row)];
      const std::int32_t target = targets[static_cast<std::size_t>(row)];
      Check(token >= 0 && token < vocabulary, i, "token", token, in_vocabulary);
      Check(target == kIgnored || (target >= 0 && target < vocabulary), i, "target", target, in_vocabulary_or_none);
    }
  }
  if (begin != rows()) {
    throw std::invalid_argument(Message("Invalid batch: its samples have ", begin, " rows of ", rows()));
  }
}

std::vector<int> PackedBatch::LabelledRows() const {
  std::vector<int> labelled;
  for (int row = 0; row < rows(); ++row) {
    if (targets[static_cast<std::size_t>(row)] != kIgnored) labelled.push_back(row);
  }
  return labelled;
}

}  // namespace native_ddp
