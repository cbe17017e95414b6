#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "transformer/gemm.h"
#include "transformer/gemv.h"

namespace native_ddp {

/** Forward products of few rows straight from the weights, as decoding needs them, and all others by another Gemm. */
class FewRowsGemm final : public Gemm {
 public:
  FewRowsGemm(const GemvKernels& kernels, std::unique_ptr<Gemm> more_rows, ThreadPool& pool,
              std::atomic<std::uint64_t>& progress)
      : few_rows_(kernels, pool, progress), more_rows_(std::move(more_rows)) {}

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override {
    if (!few_rows_.Forward(rows, x, weight, y, output)) more_rows_->Forward(rows, x, weight, y, output);
  }
  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override {
    more_rows_->Backward(rows, dy, weight, dx, output);
  }
  std::string name(ElementType weights) const override { return more_rows_->name(weights); }

 private:
  Gemv few_rows_;
  std::unique_ptr<Gemm> more_rows_;
};

}  // namespace native_ddp
