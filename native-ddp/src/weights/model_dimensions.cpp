#include "weights/model_dimensions.h"

#include <stdexcept>

#include "message.h"

namespace native_ddp {

void ModelDimensions::Validate() const {
  const auto positive = [](const char* name, int value) {
    if (value <= 0) throw std::invalid_argument(Message("Invalid ", name, ": ", value, " (must be positive)"));
  };
  positive("number of layers", layers);
  positive("hidden size", hidden);
  positive("number of heads", heads);
  positive("inner size", inner);
  positive("vocabulary size", vocabulary);
  if (hidden % heads != 0) {
    throw std::invalid_argument(Message("Invalid hidden size: ", hidden, " (must be divisible by ", heads, " heads)"));
  }
  if (head_size() % 4 != 0) {
    throw std::invalid_argument(
        Message("Invalid head size: ", head_size(), " (must be divisible by 4: two rotary halves of pairs)"));
  }
  if (!(layer_norm_epsilon > 0)) {
    throw std::invalid_argument(Message("Invalid layer norm epsilon: ", layer_norm_epsilon, " (must be positive)"));
  }
}

}  // namespace native_ddp
