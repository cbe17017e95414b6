#include "closed_form.h"

#include <algorithm>

#include "batches.h"

namespace native_ddp {
namespace {

/** In -0.5 … 0.5, of flat element i of the k-th tensor. */
double Value(std::uint32_t i, std::uint32_t k) {
  std::uint32_t x = i + 100003 * k;
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  x ^= x >> 16;
  return x / 4294967296.0 - 0.5;
}

}  // namespace

ClosedForm::ClosedForm() : model{{2, 32, 2, 64, 112, 1e-5}, {}} {
  std::uint32_t k = 0;
  for (const auto& [name, shape] : TensorShapes(model.dimensions)) {
    std::uint32_t count = 1;
    for (const std::int64_t size : shape) count *= static_cast<std::uint32_t>(size);
    const bool norm_weight = name.find("norm.weight") != std::string::npos;
    std::vector<float>& values = model.tensors[name];
    for (std::uint32_t i = 0; i < count; ++i) {
      const double u = Value(i, k);
      values.push_back(static_cast<float>(shape.size() == 2 ? u : norm_weight ? 1 + 0.2 * u : 0.2 * u));
    }
    ++k;
  }
  for (std::uint32_t i = 0; i < 3 * 128; ++i) embedding.push_back(static_cast<float>(4 * Value(i, k)));
  batch = Pack({FromLabels({11, 12, 13, 101, 104, 21, 22, 105, 3, 3},
                           {-100, -100, -100, -100, 104, 21, 22, 105, -100, -100}, 104, 101),
                FromLabels({31, 32, 101, 104, 41, 42, 43, 44, 45, 105},
                           {-100, -100, -100, 104, 41, 42, 43, 44, 45, 105}, 104, 101)});
}

std::vector<float> KeysAndValues(const std::vector<float>& embedding, const ModelDimensions& size) {
  const auto hidden = static_cast<std::size_t>(size.hidden);
  const std::size_t slices = 2 * static_cast<std::size_t>(size.layers);
  const std::size_t length = embedding.size() / (slices * hidden);
  std::vector<float> permuted(embedding.size());
  for (std::size_t p = 0; p < length; ++p) {
    for (std::size_t slice = 0; slice < slices; ++slice) {
      std::copy_n(&embedding[(p * slices + slice) * hidden], hidden, &permuted[(slice * length + p) * hidden]);
    }
  }
  return permuted;
}

}  // namespace native_ddp
