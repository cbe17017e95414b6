#include "weights/model_weights.h"

#include <stdexcept>
#include <utility>

#include "message.h"

namespace native_ddp {
namespace {

constexpr std::size_t kPage = 4096;

[[noreturn]] void Fail(const SafetensorsFile& file, const std::string& reason) {
  throw std::runtime_error(Message("Cannot use the weight file ", file.path(), ": ", reason));
}

}  // namespace

ModelWeights::ModelWeights(const WeightSource& source, const ModelDimensions& dimensions)
    : file_(source), dimensions_(dimensions) {
  dimensions_.Validate();
  CheckMetadata();
  const int hidden = dimensions_.hidden;
  word_embeddings_ = Matrix("transformer.word_embeddings.weight", dimensions_.vocabulary, hidden);
  final_layernorm_ = LayerNorm("transformer.final_layernorm");
  for (int index = 0; index < dimensions_.layers; ++index) {
    const std::string layer = "transformer.layers." + std::to_string(index) + ".";
    layers_.push_back({LayerNorm(layer + "input_layernorm"),
                       Linear(layer + "attention.query_key_value", 3 * hidden, hidden),
                       Linear(layer + "attention.dense", hidden, hidden), LayerNorm(layer + "post_attention_layernorm"),
                       Linear(layer + "mlp.dense_h_to_4h", dimensions_.inner, hidden),
                       Linear(layer + "mlp.dense_4h_to_h", hidden, dimensions_.inner)});
  }
}

void ModelWeights::CheckMetadata() {
  const auto value = [this](const char* key) {
    const auto found = file_.metadata().find(key);
    return found == file_.metadata().end() ? std::string("nothing") : found->second;
  };
  const auto expect = [&](const char* key, const std::string& expected) {
    if (value(key) != expected) {
      Fail(file_, Message("expected the metadata ", key, "=", expected, ", found ", value(key)));
    }
  };
  expect("format", "glm-tuner-weights");
  expect("version", "1");
  expect("qkv_layout", "Q|K|V");
  const std::string precision = value("precision");
  if (precision != "bf16" && precision != "fp32") {
    Fail(file_, "expected the metadata precision=bf16 or precision=fp32, found " + precision);
  }
  precision_ = precision == "bf16" ? ElementType::kBfloat16 : ElementType::kFloat32;
  if (file_.data_offset() % kPage != 0) {
    Fail(file_,
         Message("expected the tensors to start at a multiple of ", kPage, ", found byte ", file_.data_offset()));
  }
}

const StoredTensor& ModelWeights::Find(const std::string& name, const std::string& dtype,
                                       std::vector<std::int64_t> shape) const {
  const StoredTensor& tensor = file_.tensor(name);
  if (tensor.dtype != dtype || tensor.shape != shape) {
    Fail(file_, Message("tensor ", name, ": expected ", dtype, " ", ShapeText(shape), ", found ", tensor.dtype, " ",
                        ShapeText(tensor.shape)));
  }
  const std::size_t element = dtype == "F32" ? sizeof(float) : sizeof(std::uint16_t);
  if (reinterpret_cast<std::uintptr_t>(tensor.data) % element != 0) {
    Fail(file_, Message("tensor ", name, ": expected its data at a multiple of ", element, " bytes"));
  }
  return tensor;
}

const float* ModelWeights::Vector(const std::string& name, int size) const {
  return reinterpret_cast<const float*>(Find(name, "F32", {size}).data);
}

WeightMatrix ModelWeights::Matrix(const std::string& name, int rows, int columns) const {
  const std::string dtype = precision_ == ElementType::kBfloat16 ? "BF16" : "F32";
  return {Find(name, dtype, {rows, columns}).data, precision_, rows, columns, columns};
}

LayerNormWeights ModelWeights::LayerNorm(const std::string& name) const {
  return {Vector(name + ".weight", dimensions_.hidden), Vector(name + ".bias", dimensions_.hidden)};
}

LinearWeights ModelWeights::Linear(const std::string& name, int outputs, int inputs) const {
  return {Matrix(name + ".weight", outputs, inputs), Vector(name + ".bias", outputs)};
}

}  // namespace native_ddp
