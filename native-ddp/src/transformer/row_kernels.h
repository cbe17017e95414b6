#pragma once

#include <cstdint>

namespace native_ddp {

// Kernels over single rows, without threads of their own. Non-finite values flow through all of them.

/**
 * Layer normalisation: normalised = (x - mean) / deviation, y = weight · normalised + bias, and beside it
 * residual = alpha · y + next_bias, which is what the following product adds onto. Returns 1 / deviation.
 * normalised may be x; y and residual are other memory.
 */
float LayerNorm(std::int64_t size, float epsilon, const float* x, const float* weight, const float* bias, float* y,
                float alpha, const float* next_bias, float* residual, float* normalised);

/** Layer normalisation alone. */
float LayerNorm(std::int64_t size, float epsilon, const float* x, const float* weight, const float* bias, float* y,
                float* normalised);

/** dx from dy; dx may be dy. */
void LayerNormBackward(std::int64_t size, const float* dy, const float* weight, const float* normalised,
                       float inverse_deviation, float* dx);

/** x += y */
void Add(std::int64_t size, const float* y, float* x);

/** y = alpha · x */
void Scale(std::int64_t size, float alpha, const float* x, float* y);

/** y = gelu(z), the tanh form; y may be z. */
void Gelu(std::int64_t size, const float* z, float* y);

/** dy becomes dz. */
void GeluBackward(std::int64_t size, const float* z, float* dy);

/**
 * Rotates `heads` heads of size D in place. cosines and sines hold D/2 values: D/4 for each half of a head; element i
 * of a half goes with element i + D/4.
 */
void Rotate(int heads, int head_size, const float* cosines, const float* sines, float* row);

/** The inverse of Rotate, which is also its gradient. */
void RotateBack(int heads, int head_size, const float* cosines, const float* sines, float* row);

/** x becomes softmax(x); returns log Σ exp(x). */
float Softmax(std::int64_t size, float* x);

/**
 * Backward of a softmax that was fed scale · (products): scores becomes p = exp(scores - log_sum), and dp becomes the
 * gradient of the products, scale · p · (dp - Σ p · dp).
 */
void SoftmaxBackward(std::int64_t size, float scale, float log_sum, float* scores, float* dp);

/** -log softmax(logits)[target] */
double CrossEntropy(std::int64_t size, const float* logits, std::int64_t target);

/** As CrossEntropy; logits becomes weight · d(result) / d(logits). */
double CrossEntropyBackward(std::int64_t size, float* logits, std::int64_t target, float weight);

/** y = scale · x where the bit is set and 0 · x elsewhere; bit i of x is bit first + i of bits. */
void Mask(std::int64_t size, const float* x, const std::uint64_t* bits, std::int64_t first, float scale, float* y);

/** y += what Mask would have written. */
void MaskAndAdd(std::int64_t size, const float* x, const std::uint64_t* bits, std::int64_t first, float scale,
                float* y);

}  // namespace native_ddp
