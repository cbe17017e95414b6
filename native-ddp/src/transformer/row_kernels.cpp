#include "transformer/row_kernels.h"

#include <cmath>
#include <cstring>

#include "transformer/clones.h"

namespace native_ddp {
namespace {

// Sums and maxima run over this many lanes, which the compiler turns into vector registers.
constexpr int kLanes = 32;

#define NATIVE_DDP_INLINE inline __attribute__((always_inline))

template <class Term>
NATIVE_DDP_INLINE float Sum(std::int64_t begin, std::int64_t end, const Term& term) {
  float lanes[kLanes] = {};
  std::int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
  }
  for (int lane = 0; i < end; ++i, ++lane) lanes[lane] += term(i);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

/** Of the values that are not NaN; -infinity if there are none. */
NATIVE_DDP_INLINE float Maximum(std::int64_t size, const float* x) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -INFINITY;
  std::int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
  }
  float maximum = -INFINITY;
  for (; i < size; ++i) maximum = x[i] > maximum ? x[i] : maximum;
  for (const float lane : lanes) maximum = lane > maximum ? lane : maximum;
  return maximum;
}

/**
 * e^x to 2e-7 relative, in a form that the compiler vectorises; beyond ±87 it stays at e^±87. The polynomial is that of
 * Cephes' expf.
 */
NATIVE_DDP_INLINE float Exponential(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 · 2^23: adding it leaves the nearest integer in the low mantissa bits
  constexpr std::uint32_t kRoundBits = 0x4b400000;
  x = x < -87.0F ? -87.0F : x;
  x = x > 87.0F ? 87.0F : x;
  const float shifted = x * kLog2E + kRound;
  const float power = shifted - kRound;
  const float r = (x - power * kLn2High) - power * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  std::uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits - kRoundBits + 127U) << 23;
  float two_to_power;
  std::memcpy(&two_to_power, &bits, sizeof two_to_power);
  return p * two_to_power;
}

// gelu(z) = z/2 · (1 + tanh(√(2/π) · (z + 0.044715 z³))) = z · sigmoid(kGelu · z · (1 + kCubic · z²))
constexpr float kGelu = 2 * 0.7978845608F;
constexpr float kCubic = 0.044715F;

NATIVE_DDP_INLINE float GeluGate(float z) { return 1.0F / (1.0F + Exponential(-kGelu * z * (1.0F + kCubic * z * z))); }

NATIVE_DDP_INLINE float LayerNormStatistics(std::int64_t size, float epsilon, const float* x, float* mean) {
  const float m = Sum(0, size, [x](std::int64_t i) { return x[i]; }) / static_cast<float>(size);
  const float squares = Sum(0, size, [x, m](std::int64_t i) { return (x[i] - m) * (x[i] - m); });
  *mean = m;
  return 1.0F / std::sqrt(squares / static_cast<float>(size) + epsilon);
}

template <int kSign>
NATIVE_DDP_INLINE void RotateHeads(int heads, int head_size, const float* __restrict cosines,
                                   const float* __restrict sines, float* __restrict row) {
  const int pairs = head_size / 4;
  for (int half = 0; half < 2 * heads; ++half) {
    float* first = row + static_cast<std::int64_t>(half) * 2 * pairs;
    float* second = first + pairs;
    const float* c = cosines + (half % 2) * pairs;
    const float* s = sines + (half % 2) * pairs;
    for (int i = 0; i < pairs; ++i) {
      const float a = first[i];
      const float b = second[i];
      first[i] = a * c[i] - kSign * b * s[i];
      second[i] = b * c[i] + kSign * a * s[i];
    }
  }
}

/** log Σ exp(x - maximum), in FP64 blocks: a vocabulary is too long for an FP32 sum. */
NATIVE_DDP_INLINE double LogSum(std::int64_t size, const float* x, float maximum) {
  constexpr std::int64_t kBlock = 1024;
  double sum = 0;
  for (std::int64_t begin = 0; begin < size; begin += kBlock) {
    const std::int64_t end = begin + kBlock < size ? begin + kBlock : size;
    sum += Sum(begin, end, [x, maximum](std::int64_t i) { return Exponential(x[i] - maximum); });
  }
  return std::log(sum);
}

NATIVE_DDP_INLINE float MaskFactor(const std::uint64_t* bits, std::int64_t bit, float scale) {
  // 0 · x rather than 0, so that a value that is not finite stays visible
  return (bits[bit >> 6] >> (bit & 63) & 1) != 0 ? scale : 0.0F;
}

}  // namespace

NATIVE_DDP_CLONES float LayerNorm(std::int64_t size, float epsilon, const float* x, const float* __restrict weight,
                                  const float* __restrict bias, float* __restrict y, float alpha,
                                  const float* __restrict next_bias, float* __restrict residual, float* normalised) {
  float mean;
  const float inverse = LayerNormStatistics(size, epsilon, x, &mean);
  for (std::int64_t i = 0; i < size; ++i) normalised[i] = (x[i] - mean) * inverse;
  for (std::int64_t i = 0; i < size; ++i) {
    y[i] = normalised[i] * weight[i] + bias[i];
    residual[i] = alpha * y[i] + next_bias[i];
  }
  return inverse;
}

NATIVE_DDP_CLONES float LayerNorm(std::int64_t size, float epsilon, const float* x, const float* __restrict weight,
                                  const float* __restrict bias, float* __restrict y, float* normalised) {
  float mean;
  const float inverse = LayerNormStatistics(size, epsilon, x, &mean);
  for (std::int64_t i = 0; i < size; ++i) normalised[i] = (x[i] - mean) * inverse;
  for (std::int64_t i = 0; i < size; ++i) y[i] = normalised[i] * weight[i] + bias[i];
  return inverse;
}

NATIVE_DDP_CLONES void LayerNormBackward(std::int64_t size, const float* dy, const float* weight,
                                         const float* normalised, float inverse_deviation, float* dx) {
  const float inverse_size = 1.0F / static_cast<float>(size);
  const float mean = inverse_size * Sum(0, size, [=](std::int64_t i) { return dy[i] * weight[i]; });
  const float along = inverse_size * Sum(0, size, [=](std::int64_t i) { return dy[i] * weight[i] * normalised[i]; });
  for (std::int64_t i = 0; i < size; ++i) {
    dx[i] = inverse_deviation * (dy[i] * weight[i] - mean - normalised[i] * along);
  }
}

NATIVE_DDP_CLONES void Add(std::int64_t size, const float* __restrict y, float* __restrict x) {
  for (std::int64_t i = 0; i < size; ++i) x[i] += y[i];
}

NATIVE_DDP_CLONES void Scale(std::int64_t size, float alpha, const float* __restrict x, float* __restrict y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] = alpha * x[i];
}

NATIVE_DDP_CLONES void Gelu(std::int64_t size, const float* z, float* y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] = z[i] * GeluGate(z[i]);
}

NATIVE_DDP_CLONES void GeluBackward(std::int64_t size, const float* __restrict z, float* __restrict dy) {
  for (std::int64_t i = 0; i < size; ++i) {
    const float gate = GeluGate(z[i]);
    dy[i] *= gate + z[i] * gate * (1.0F - gate) * kGelu * (1.0F + 3.0F * kCubic * z[i] * z[i]);
  }
}

NATIVE_DDP_CLONES void Rotate(int heads, int head_size, const float* cosines, const float* sines, float* row) {
  RotateHeads<1>(heads, head_size, cosines, sines, row);
}

NATIVE_DDP_CLONES void RotateBack(int heads, int head_size, const float* cosines, const float* sines, float* row) {
  RotateHeads<-1>(heads, head_size, cosines, sines, row);
}

NATIVE_DDP_CLONES float Softmax(std::int64_t size, float* x) {
  const float maximum = Maximum(size, x);
  for (std::int64_t i = 0; i < size; ++i) x[i] = Exponential(x[i] - maximum);
  const float sum = Sum(0, size, [x](std::int64_t i) { return x[i]; });
  const float inverse = 1.0F / sum;
  for (std::int64_t i = 0; i < size; ++i) x[i] *= inverse;
  return maximum + std::log(sum);
}

NATIVE_DDP_CLONES void SoftmaxBackward(std::int64_t size, float scale, float log_sum, float* __restrict scores,
                                       float* __restrict dp) {
  for (std::int64_t i = 0; i < size; ++i) scores[i] = Exponential(scores[i] - log_sum);
  const float along = Sum(0, size, [=](std::int64_t i) { return scores[i] * dp[i]; });
  for (std::int64_t i = 0; i < size; ++i) dp[i] = scale * scores[i] * (dp[i] - along);
}

NATIVE_DDP_CLONES double CrossEntropy(std::int64_t size, const float* logits, std::int64_t target) {
  const float maximum = Maximum(size, logits);
  return LogSum(size, logits, maximum) + (static_cast<double>(maximum) - logits[target]);
}

NATIVE_DDP_CLONES double CrossEntropyBackward(std::int64_t size, float* logits, std::int64_t target, float weight) {
  const float maximum = Maximum(size, logits);
  const double log_sum = LogSum(size, logits, maximum);
  const double loss = log_sum + (static_cast<double>(maximum) - logits[target]);
  const float inverse = static_cast<float>(std::exp(-log_sum));
  for (std::int64_t i = 0; i < size; ++i) logits[i] = weight * (Exponential(logits[i] - maximum) * inverse);
  logits[target] -= weight;
  return loss;
}

NATIVE_DDP_CLONES void Mask(std::int64_t size, const float* __restrict x, const std::uint64_t* __restrict bits,
                            std::int64_t first, float scale, float* __restrict y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] = x[i] * MaskFactor(bits, first + i, scale);
}

NATIVE_DDP_CLONES void MaskAndAdd(std::int64_t size, const float* __restrict x, const std::uint64_t* __restrict bits,
                                  std::int64_t first, float scale, float* __restrict y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] += x[i] * MaskFactor(bits, first + i, scale);
}

}  // namespace native_ddp
