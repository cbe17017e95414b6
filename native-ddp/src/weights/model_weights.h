#pragma once

#include <string>
#include <vector>

#include "weights/model_dimensions.h"
#include "weights/safetensors_file.h"
#include "weights/weight_matrix.h"

namespace native_ddp {

struct LayerNormWeights {
  const float* weight;
  const float* bias;
};

struct LinearWeights {
  WeightMatrix weight;  // [outputs, inputs]
  const float* bias;
};

struct LayerWeights {
  LayerNormWeights input_layernorm;
  LinearWeights query_key_value;  // rows: all heads' queries, then keys, then values
  LinearWeights dense;
  LayerNormWeights post_attention_layernorm;
  LinearWeights dense_h_to_4h;
  LinearWeights dense_4h_to_h;
};

/**
 * The frozen model in a weight file: a safetensors file with the official tensor names, metadata
 * format=glm-tuner-weights, version=1, precision=bf16 or fp32 (of the matrices; vectors are FP32), qkv_layout=Q|K|V,
 * and a data section that starts on a page. The output layer is the word embedding.
 */
class ModelWeights {
 public:
  /** Throws std::runtime_error naming file and tensor, what was expected and what was found. */
  ModelWeights(const WeightSource& source, const ModelDimensions& dimensions);

  const ModelDimensions& dimensions() const { return dimensions_; }
  const WeightMemory& memory() const { return file_.memory(); }
  /** Of the matrices. */
  ElementType precision() const { return precision_; }
  const WeightMatrix& word_embeddings() const { return word_embeddings_; }
  const LayerNormWeights& final_layernorm() const { return final_layernorm_; }
  const LayerWeights& layer(int index) const { return layers_[static_cast<std::size_t>(index)]; }

 private:
  void CheckMetadata();
  const StoredTensor& Find(const std::string& name, const std::string& dtype, std::vector<std::int64_t> shape) const;
  const float* Vector(const std::string& name, int size) const;
  WeightMatrix Matrix(const std::string& name, int rows, int columns) const;
  LayerNormWeights LayerNorm(const std::string& name) const;
  LinearWeights Linear(const std::string& name, int outputs, int inputs) const;

  SafetensorsFile file_;
  ModelDimensions dimensions_;
  ElementType precision_ = ElementType::kFloat32;
  WeightMatrix word_embeddings_;
  LayerNormWeights final_layernorm_{};
  std::vector<LayerWeights> layers_;
};

}  // namespace native_ddp
