#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "instruction_paths.h"
#include "temporary_file.h"
#include "tiny_model.h"
#include "transformer/frozen_transformer.h"

namespace native_ddp {

/** A tiny model written to a weight file and opened. */
class LoadedModel {
 public:
  LoadedModel(const TinyModel& model, ElementType precision, int threads = 1,
              InstructionSet instructions = InstructionSet::kAuto, AmxHost& host = ThisHost()) {
    model.Write(file_.path(), precision);
    transformer_ = std::make_unique<FrozenTransformer>(file_.path(), model.dimensions, threads, instructions, host);
  }

  LoadedModel(const TinyModel& model, ElementType precision, int threads, const InstructionPath& path)
      : LoadedModel(model, precision, threads, path.instructions, path.host()) {}

  FrozenTransformer& operator*() { return *transformer_; }
  FrozenTransformer* operator->() { return transformer_.get(); }

 private:
  TemporaryFile file_;
  std::unique_ptr<FrozenTransformer> transformer_;
};

struct LossesAndGradient {
  std::vector<double> losses;
  std::vector<float> gradient;
};

inline Prefix PrefixOf(const std::vector<float>& values, const ModelDimensions& size) {
  return {values.data(), static_cast<int>(values.size()) / (2 * size.layers * size.hidden)};
}

inline LossesAndGradient Train(FrozenTransformer& transformer, const PackedBatch& batch,
                               const std::vector<float>& prefix, const PrefixDropout& dropout = {}) {
  LossesAndGradient result{{}, std::vector<float>(prefix.size(), 0.0F)};
  result.losses = transformer.ForwardBackward(batch, PrefixOf(prefix, transformer.dimensions()), dropout,
                                              result.gradient.data(), [](int) {});
  return result;
}

/** |a - b| / |b| */
inline double RelativeDistance(const std::vector<float>& a, const std::vector<double>& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

inline double RelativeDistance(const std::vector<float>& a, const std::vector<float>& b) {
  return RelativeDistance(a, std::vector<double>(b.begin(), b.end()));
}

}  // namespace native_ddp
