#include "tiny_model.h"

#include <cstring>
#include <random>
#include <utility>

#include "transformer/bfloat16.h"

namespace native_ddp {
namespace {

template <class Element>
std::vector<char> Bytes(const std::vector<Element>& values) {
  std::vector<char> bytes(values.size() * sizeof(Element));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<std::uint16_t> RoundToBfloat16(const std::vector<float>& values) {
  std::vector<std::uint16_t> rounded(values.size());
  ToBfloat16(static_cast<std::int64_t>(values.size()), values.data(), rounded.data());
  return rounded;
}

/** Rows [head][q, k, v][D] become [q, k, v][head][D]. */
std::vector<float> QueryKeyValueRows(const std::vector<float>& values, const ModelDimensions& size) {
  const auto heads = static_cast<std::size_t>(size.heads);
  const std::size_t block = values.size() / (3 * heads);  // the D rows of one head's q, k or v
  std::vector<float> permuted(values.size());
  for (std::size_t head = 0; head < heads; ++head) {
    for (std::size_t part = 0; part < 3; ++part) {
      std::memcpy(&permuted[(part * heads + head) * block], &values[(head * 3 + part) * block], block * sizeof(float));
    }
  }
  return permuted;
}

}  // namespace

std::vector<std::pair<std::string, std::vector<std::int64_t>>> TensorShapes(const ModelDimensions& size) {
  const std::int64_t hidden = size.hidden;
  const std::int64_t inner = size.inner;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes = {
      {"transformer.word_embeddings.weight", {size.vocabulary, hidden}}};
  for (int index = 0; index < size.layers; ++index) {
    const std::string layer = "transformer.layers." + std::to_string(index) + ".";
    shapes.insert(shapes.end(), {{layer + "input_layernorm.weight", {hidden}},
                                 {layer + "input_layernorm.bias", {hidden}},
                                 {layer + "attention.query_key_value.weight", {3 * hidden, hidden}},
                                 {layer + "attention.query_key_value.bias", {3 * hidden}},
                                 {layer + "attention.dense.weight", {hidden, hidden}},
                                 {layer + "attention.dense.bias", {hidden}},
                                 {layer + "post_attention_layernorm.weight", {hidden}},
                                 {layer + "post_attention_layernorm.bias", {hidden}},
                                 {layer + "mlp.dense_h_to_4h.weight", {inner, hidden}},
                                 {layer + "mlp.dense_h_to_4h.bias", {inner}},
                                 {layer + "mlp.dense_4h_to_h.weight", {hidden, inner}},
                                 {layer + "mlp.dense_4h_to_h.bias", {hidden}}});
  }
  shapes.insert(shapes.end(),
                {{"transformer.final_layernorm.weight", {hidden}}, {"transformer.final_layernorm.bias", {hidden}}});
  return shapes;
}

std::map<std::string, std::string> WeightFileMetadata(ElementType precision) {
  return {{"format", "glm-tuner-weights"},
          {"version", "1"},
          {"precision", precision == ElementType::kBfloat16 ? "bf16" : "fp32"},
          {"qkv_layout", "Q|K|V"},
          {"source", "a test"}};
}

std::vector<TensorToWrite> TinyModel::WeightFileTensors(ElementType precision) const {
  std::vector<TensorToWrite> written;
  for (const auto& [name, shape] : TensorShapes(dimensions)) {
    const bool permuted = name.find("query_key_value") != std::string::npos;
    const std::vector<float> values = permuted ? QueryKeyValueRows(at(name), dimensions) : at(name);
    const bool rounded = shape.size() == 2 && precision == ElementType::kBfloat16;
    written.push_back(
        {name, rounded ? "BF16" : "F32", shape, rounded ? Bytes(RoundToBfloat16(values)) : Bytes(values)});
  }
  return written;
}

void TinyModel::Write(const std::string& path, ElementType precision) const {
  WriteSafetensors(path, WeightFileMetadata(precision), WeightFileTensors(precision));
}

TinyModel TinyModel::Rounded() const {
  TinyModel rounded = *this;
  for (const auto& [name, shape] : TensorShapes(dimensions)) {
    if (shape.size() != 2) continue;
    std::vector<float>& values = rounded.tensors.at(name);
    FromBfloat16(static_cast<std::int64_t>(values.size()), RoundToBfloat16(values).data(), values.data());
  }
  return rounded;
}

std::vector<float> RandomFloats(std::size_t count, float low, float high, std::uint32_t seed) {
  std::mt19937 generator(seed);  // whose words, unlike the standard distributions, are the same everywhere
  std::vector<float> values(count);
  for (float& value : values) value = low + (high - low) * static_cast<float>(generator() >> 8) / 16777216.0F;
  return values;
}

TinyModel RandomModel(const ModelDimensions& dimensions, std::uint32_t seed) {
  TinyModel model{dimensions, {}};
  for (const auto& [name, shape] : TensorShapes(dimensions)) {
    std::size_t count = 1;
    for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
    const bool norm_weight = name.find("norm.weight") != std::string::npos;
    const float middle = norm_weight ? 1.0F : 0.0F;
    const float spread = shape.size() == 2 ? 0.4F : 0.1F;
    model.tensors[name] = RandomFloats(count, middle - spread, middle + spread, ++seed);
  }
  return model;
}

}  // namespace native_ddp
