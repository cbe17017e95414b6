#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "transformer/gemm.h"

namespace native_ddp {

/** What products have cost so far. */
struct ProductTotals {
  double seconds = 0;     // on the calling thread's clock, while all threads multiply
  double operations = 0;  // two for each multiplication and addition, those of padding left out
};

/** Measures another Gemm. */
class MeasuredGemm final : public Gemm {
 public:
  explicit MeasuredGemm(std::unique_ptr<Gemm> gemm) : gemm_(std::move(gemm)) {}

  void Forward(int rows, StridedInput x, const WeightMatrix& weight, StridedOutput y, Output output) override {
    Measure(rows, weight, [&] { gemm_->Forward(rows, x, weight, y, output); });
  }
  void Backward(int rows, StridedInput dy, const WeightMatrix& weight, StridedOutput dx, Output output) override {
    Measure(rows, weight, [&] { gemm_->Backward(rows, dy, weight, dx, output); });
  }
  std::string name(ElementType weights) const override { return gemm_->name(weights); }

  const ProductTotals& totals() const { return totals_; }

 private:
  using Clock = std::chrono::steady_clock;

  template <class Product>
  void Measure(int rows, const WeightMatrix& weight, const Product& product) {
    const Clock::time_point begin = Clock::now();
    product();
    totals_.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    totals_.operations += 2.0 * rows * weight.rows * weight.columns;
  }

  std::unique_ptr<Gemm> gemm_;
  ProductTotals totals_;
};

}  // namespace native_ddp
