#pragma once

#include <vector>

#include "tiny_model.h"
#include "transformer/packed_batch.h"

namespace native_ddp {

/**
 * A model and a batch whose every value follows from its index, with results that the official implementation gave for
 * them: two layers, two heads of 16, a prefix of 3.
 */
struct ClosedForm {
  ClosedForm();

  TinyModel model;
  std::vector<float> embedding;  // [P, L · 2 · H], the prefix as the official model stores it
  PackedBatch batch;             // both rows, weight 1
};

/** A prefix as the official model stores it, [P, 2L, H], to [L, 2, P, H]. */
std::vector<float> KeysAndValues(const std::vector<float>& embedding, const ModelDimensions& size);

}  // namespace native_ddp
