#pragma once

namespace native_ddp {

/** The sizes of a ChatGLM. Letters used everywhere: L layers, H hidden, N heads, D = H / N, I inner, V vocabulary. */
struct ModelDimensions {
  int layers;
  int hidden;
  int heads;
  int inner;
  int vocabulary;
  double layer_norm_epsilon;

  int head_size() const { return hidden / heads; }

  /** Throws std::invalid_argument unless all sizes are positive, N divides H and 4 divides D. */
  void Validate() const;
};

}  // namespace native_ddp
