#include "optimizer/adamw.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "message.h"

namespace native_ddp {
namespace {

constexpr std::int64_t kLeastElements = 1 << 18;  // a thread is not worth waking for less

/** base^exponent by squaring; std::pow may round differently from one CPU to another. */
double Power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 != 0) result *= base;
  }
  return result;
}

struct Scalars {
  float factor;
  float keep_m;
  float take_m;
  float keep_v;
  float take_v;
  float epsilon;
  float step_size;
  float decay;
};

void Update(std::int64_t count, const Scalars& s, const float* __restrict gradient, float* __restrict parameter,
            float* __restrict m, float* __restrict v) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = s.factor * gradient[i];
    m[i] = s.keep_m * m[i] + s.take_m * g;
    v[i] = s.keep_v * v[i] + s.take_v * g * g;
    const float moved = parameter[i] - s.step_size * (m[i] / (std::sqrt(v[i]) + s.epsilon));
    parameter[i] = moved - s.decay * moved;
  }
}

}  // namespace

void AdamW(std::int64_t count, const AdamWStep& step, const float* gradient, float* parameter, float* m, float* v,
           ThreadPool& pool) {
  if (step.step < 1) throw std::invalid_argument(Message("Invalid optimiser step: ", step.step, " (counted from 1)"));
  const double correction = std::sqrt(1 - Power(step.beta2, step.step)) / (1 - Power(step.beta1, step.step));
  const Scalars scalars{static_cast<float>(step.gradient_factor),
                        static_cast<float>(step.beta1),
                        static_cast<float>(1 - step.beta1),
                        static_cast<float>(step.beta2),
                        static_cast<float>(1 - step.beta2),
                        static_cast<float>(step.epsilon),
                        static_cast<float>(step.learning_rate * correction),
                        static_cast<float>(step.learning_rate * step.weight_decay)};
  pool.ForEach(count, kLeastElements, [&](std::int64_t begin, std::int64_t end, int) {
    Update(end - begin, scalars, gradient + begin, parameter + begin, m + begin, v + begin);
  });
}

void Clear(std::int64_t count, float* x, ThreadPool& pool) {
  pool.ForEach(count, kLeastElements,
               [&](std::int64_t begin, std::int64_t end, int) { std::fill(x + begin, x + end, 0.0F); });
}

}  // namespace native_ddp
