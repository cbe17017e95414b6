#include <ATen/core/Tensor.h>

#include <stdexcept>

#include "jni/conversions.h"
#include "message.h"
#include "weights/safetensors_file.h"

namespace native_ddp {
namespace {

std::string Description(const at::Tensor& tensor) {
  return Message(tensor.is_contiguous() ? "" : "non-contiguous ", tensor.toString(), " ", tensor.sizes());
}

}  // namespace

at::Tensor& TensorOf(jlong handle, const char* what) {
  if (handle == 0) throw std::invalid_argument(Message("Invalid ", what, ": no tensor"));
  return Borrow<at::Tensor>(handle);
}

Floats FloatsOf(jlong handle, const char* what) {
  const at::Tensor& tensor = TensorOf(handle, what);
  if (tensor.scalar_type() != at::kFloat || !tensor.device().is_cpu() || !tensor.is_contiguous()) {
    throw std::invalid_argument(
        Message("Invalid ", what, ": ", Description(tensor), " (must be contiguous FP32 on the CPU)"));
  }
  return {static_cast<float*>(tensor.mutable_data_ptr()), tensor.sizes().vec()};
}

Floats FloatsOf(jlong handle, const char* what, const std::vector<std::int64_t>& shape) {
  Floats floats = FloatsOf(handle, what);
  if (floats.shape != shape) {
    throw std::invalid_argument(
        Message("Invalid ", what, ": ", ShapeText(floats.shape), " (must have the shape ", ShapeText(shape), ")"));
  }
  return floats;
}

}  // namespace native_ddp
