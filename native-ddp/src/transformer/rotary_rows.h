#pragma once

#include "transformer/packed_batch.h"
#include "transformer/workspace.h"

namespace native_ddp {

/** Fills workspace.cosines and workspace.sines, [rows, D/2] each. */
class RotaryRows {
 public:
  /** positions: all positions to come are below it. */
  RotaryRows(int rows, int positions, Workspace& workspace) : workspace_(workspace) {
    workspace.rotary.Grow(positions);
    const auto elements = static_cast<std::size_t>(rows) * static_cast<std::size_t>(Width());
    workspace.cosines.Ensure(elements);
    workspace.sines.Ensure(elements);
  }

  void Set(int row, RotaryPosition at) {
    const std::int64_t first = std::int64_t{row} * Width();
    workspace_.rotary.Write(at.position, at.block, workspace_.cosines.data() + first, workspace_.sines.data() + first);
  }

 private:
  int Width() const { return workspace_.dimensions().head_size() / 2; }

  Workspace& workspace_;
};

}  // namespace native_ddp
