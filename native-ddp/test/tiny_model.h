#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "safetensors_writer.h"
#include "weights/model_dimensions.h"
#include "weights/weight_matrix.h"

namespace native_ddp {

/** A small model's tensors under their official names, query_key_value rows in the official order (mixed per head). */
struct TinyModel {
  ModelDimensions dimensions;
  std::map<std::string, std::vector<float>> tensors;

  const std::vector<float>& at(const std::string& name) const { return tensors.at(name); }

  /** The tensors of a weight file: matrices as asked, query_key_value rows as Q|K|V. */
  std::vector<TensorToWrite> WeightFileTensors(ElementType precision) const;
  void Write(const std::string& path, ElementType precision) const;
  /** This model with matrices rounded to BF16, as a bf16 weight file holds them. */
  TinyModel Rounded() const;
};

std::map<std::string, std::string> WeightFileMetadata(ElementType precision);

/** Names and shapes of all tensors in the official order. */
std::vector<std::pair<std::string, std::vector<std::int64_t>>> TensorShapes(const ModelDimensions& dimensions);

/** Random, at a scale that keeps activations and losses lively. */
TinyModel RandomModel(const ModelDimensions& dimensions, std::uint32_t seed);

std::vector<float> RandomFloats(std::size_t count, float low, float high, std::uint32_t seed);

}  // namespace native_ddp
