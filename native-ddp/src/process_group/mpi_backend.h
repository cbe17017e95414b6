#pragma once

#include <memory>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <vector>

#include "process_group/mpi_calls.h"
#include "process_group/mpi_library.h"
#include "process_group/mpi_thread.h"

namespace native_ddp {

/**
 * c10d's "mpi" for libtorch builds that come without one: collectives over MPI_COMM_WORLD on contiguous CPU tensors,
 * FP64, FP32, BF16 (sums only) and integers. Calls return at once; the Work holds the tensors, and its future the
 * results. A failed MPI call becomes the Work's exception. A Work's duration is that from when all ranks have come.
 */
class MpiBackend final : public c10d::Backend {
 public:
  /** MPI must have been initialised on the thread. */
  MpiBackend(const std::shared_ptr<const MpiLibrary>& library, std::shared_ptr<MpiThread> thread, int rank,
             int world_size);

  const std::string getBackendName() const override { return "mpi"; }

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override;
  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options) override;
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                           std::vector<at::Tensor>& inputs,
                                           const c10d::AllgatherOptions& options) override;
  c10::intrusive_ptr<c10d::Work> barrier(const c10d::BarrierOptions& options) override;

 private:
  c10::intrusive_ptr<c10d::Work> Post(c10d::OpType type, std::vector<at::Tensor> results,
                                      std::function<MpiCalls::Duration()> task);

  MpiCalls calls_;  // of the thread
  std::shared_ptr<MpiThread> thread_;
  MPI_Datatype bfloat16_ = MPI_DATATYPE_NULL;
  MPI_Op bfloat16_sum_ = MPI_OP_NULL;
};

}  // namespace native_ddp
