#include "process_group/gradient_reducer.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/select.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "message.h"

namespace native_ddp {

using Clock = std::chrono::steady_clock;

struct GradientReducer::Slices {
  std::vector<at::Tensor> tensors;  // views of the gradient
};

GradientReducer::GradientReducer(std::shared_ptr<MpiGroup> group, const at::Tensor& gradient)
    : group_(std::move(group)), slices_(std::make_unique<Slices>()) {
  if (gradient.scalar_type() != at::kFloat || !gradient.device().is_cpu() || !gradient.is_contiguous() ||
      gradient.dim() < 2) {
    throw std::invalid_argument(Message("Invalid gradient: ", gradient.toString(), " ", gradient.sizes(),
                                        " (must be FP32 [layers, …], contiguous, on the CPU)"));
  }
  for (std::int64_t layer = 0; layer < gradient.size(0); ++layer) {
    slices_->tensors.push_back(gradient.select(0, layer));
  }
  pending_.resize(slices_->tensors.size());
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::LayerReady(int layer) {
  if (layer < 0 || layer >= static_cast<int>(pending_.size())) {
    throw std::invalid_argument(Message("Invalid layer: ", layer, " (must be from 0 to ", pending_.size() - 1, ")"));
  }
  const auto index = static_cast<std::size_t>(layer);
  if (pending_[index] != nullptr) {
    throw std::runtime_error(Message("Cannot reduce layer ", layer, ": it has been reported in this step already"));
  }
  pending_[index] = group_->StartSum(slices_->tensors[index]);
}

void GradientReducer::ReduceAll() {
  for (int layer = static_cast<int>(pending_.size()) - 1; layer >= 0; --layer) LayerReady(layer);
}

GradientReducer::Timing GradientReducer::Finish() {
  const auto missing = std::count(pending_.begin(), pending_.end(), nullptr);
  if (missing != 0) {
    throw std::runtime_error(
        Message("Cannot finish the reduction: ", missing, " of ", pending_.size(), " layers have not been reported"));
  }
  const Clock::time_point waiting = Clock::now();
  double reduce_seconds = 0;
  std::exception_ptr failure;
  for (auto& sum : pending_) {
    try {
      reduce_seconds += sum->Wait();
    } catch (...) {
      if (failure == nullptr) failure = std::current_exception();
    }
    sum.reset();
  }
  if (failure != nullptr) std::rethrow_exception(failure);
  return {std::chrono::duration<double>(Clock::now() - waiting).count(), reduce_seconds};
}

}  // namespace native_ddp
