#pragma once

#include <memory>
#include <vector>

#include "process_group/mpi_group.h"

namespace native_ddp {

/**
 * Sums a gradient [L, …] over all ranks, slice by slice, while the backward still computes the slices below. Every rank
 * reports the layers in the same order, L-1 … 0.
 */
class GradientReducer {
 public:
  struct Timing {
    double wait_seconds;    // that Finish waited
    double reduce_seconds;  // of all sums, each from when all ranks had come to it
  };

  /** The gradient's memory is shared, not copied. Throws std::invalid_argument unless it is contiguous FP32 on the CPU.
   */
  GradientReducer(std::shared_ptr<MpiGroup> group, const at::Tensor& gradient);
  ~GradientReducer();

  /** Starts the sum of a layer's slice, which is complete on this rank; returns at once. */
  void LayerReady(int layer);

  /** For a rank without samples: LayerReady for all layers in the order of a backward. */
  void ReduceAll();

  /**
   * Waits until all slices are summed. Throws the first error, or std::runtime_error if layers have not been reported.
   * Afterwards the next step may begin.
   */
  Timing Finish();

 private:
  struct Slices;

  std::shared_ptr<MpiGroup> group_;
  std::unique_ptr<Slices> slices_;
  std::vector<std::unique_ptr<MpiGroup::Pending>> pending_;  // by layer; null if not reported yet
};

}  // namespace native_ddp
